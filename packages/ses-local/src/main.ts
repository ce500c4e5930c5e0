/** The simulator as a process of its own. */
import { pino } from 'pino';
import { z } from 'zod';
import { startSesLocal } from './sesLocal.js';

const Variables = z.object({
  SES_LOCAL_HOST: z.string().default('127.0.0.1'),
  SES_LOCAL_PORT: z.coerce.number().int().min(0).max(65_535).default(8025),
  /** How old a signature may be, seconds. */
  SES_SIGNATURE_SECONDS: z.coerce.number().positive().default(300),
  AWS_ACCESS_KEY_ID: z.string().default('local'),
  AWS_SECRET_ACCESS_KEY: z.string().default('local'),
  SES_CONFIGURATION_SET: z.string().default('sendonce'),
  /** Where the events of mails go. */
  SES_LOCAL_EVENTS_ENDPOINT: z.url().optional(),
  /** Recipients a second that GetAccount tells; with SES_LOCAL_ENFORCE_RATE=yes, more than that is throttled. */
  SES_LOCAL_RATE: z.coerce.number().positive().default(500),
  SES_LOCAL_ENFORCE_RATE: z.enum(['yes', 'no']).default('no'),
  LOG_LEVEL: z.string().default('info'),
});

const parsed = Variables.safeParse(process.env);
if (!parsed.success) {
  for (const { path, message } of parsed.error.issues)
    process.stderr.write(`${path.join('.')}: ${message}\n`);
  process.exit(2);
}
const variables = parsed.data;
const logger = pino({ base: { service: 'ses-local' }, level: variables.LOG_LEVEL });
const sesLocal = await startSesLocal({
  host: variables.SES_LOCAL_HOST,
  port: variables.SES_LOCAL_PORT,
  signatureSeconds: variables.SES_SIGNATURE_SECONDS,
  accessKeyId: variables.AWS_ACCESS_KEY_ID,
  secretAccessKey: variables.AWS_SECRET_ACCESS_KEY,
  configurationSets: [variables.SES_CONFIGURATION_SET],
  account: {
    maxSendRate: variables.SES_LOCAL_RATE,
    enforcesRate: variables.SES_LOCAL_ENFORCE_RATE === 'yes',
  },
  logger,
  ...(variables.SES_LOCAL_EVENTS_ENDPOINT && { eventsEndpoint: variables.SES_LOCAL_EVENTS_ENDPOINT }),
});
logger.info({ url: sesLocal.url }, 'local SES ready');
process.send?.({ ready: sesLocal.url });

let isStopping = false;
function stop(): void {
  if (isStopping) process.exit(1);
  isStopping = true;
  void sesLocal.stop().then(() => process.exit(0));
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (process.send) process.on('disconnect', stop);
