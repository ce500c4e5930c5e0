/**
 * The settings of the process, from the environment, checked at once. Each has its own short name, and the name it goes by
 * among the other processes of Sendonce, so that one environment can serve all of them; the longer name wins.
 */
import { z } from 'zod';
import type { SesLocalConfig } from './sesLocal.js';

const yesNo = z.enum(['yes', 'no']).transform((text) => text === 'yes');

const Settings = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8025),
  /** Where others reach it, as in a container network; for the links in confirmations. */
  CONFIRMATION_URL: z.url({ protocol: /^https?$/, error: 'expected an http:// URL' }).optional(),
  /** How old a signature may be, seconds; fractions are fine. */
  SIGNATURE_SECONDS: z.coerce.number().positive().max(86_400).default(300),
  VERIFY_SIGNATURE: yesNo.default(true),
  ACCESS_KEY_ID: z.string().min(1).default('local'),
  SECRET_ACCESS_KEY: z.string().min(1).default('local'),
  /** Recipients a second, told by GetAccount; with ENFORCE_SEND_RATE=yes more than that is throttled. */
  MAX_SEND_RATE: z.coerce.number().positive().default(500),
  ENFORCE_SEND_RATE: yesNo.default(false),
  /** Recipients in 24 hours; -1: no limit. */
  MAX_24H: z.coerce.number().int().min(-1).default(50_000_000),
  /** Where the events of mails go. */
  EVENTS_ENDPOINT: z.url({ protocol: /^http$/, error: 'expected an http:// URL' }).optional(),
  /** They also go to an SQS queue, for who fetches them. */
  EVENTS_QUEUE: yesNo.default(false),
  /** How long a message of the queue that was fetched is nobody else's, seconds. */
  QUEUE_VISIBILITY_SECONDS: z.coerce.number().positive().max(43_200).default(30),
  EVENTS_SIGNATURE_VERSION: z.enum(['1', '2']).default('2'),
  TOPIC_ARN: z.string().startsWith('arn:aws:sns:', 'expected arn:aws:sns:…').optional(),
  /** Names, separated by commas. */
  CONFIGURATION_SETS: z.string().default('sendonce'),
  MAIL_LIMIT: z.coerce.number().int().min(1).default(1_000_000),
  CONTENT_LIMIT: z.coerce.number().int().min(1).default(20_000),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  EXIT_WITH_PARENT: z.enum(['0', '1']).default('0'),
});

type Name = keyof typeof Settings.shape;

const LONGER_NAMES: Partial<Record<Name, string>> = {
  HOST: 'SES_LOCAL_HOST',
  PORT: 'SES_LOCAL_PORT',
  CONFIRMATION_URL: 'SES_LOCAL_URL',
  SIGNATURE_SECONDS: 'SES_SIGNATURE_SECONDS',
  VERIFY_SIGNATURE: 'SES_LOCAL_VERIFY_SIGNATURE',
  ACCESS_KEY_ID: 'AWS_ACCESS_KEY_ID',
  SECRET_ACCESS_KEY: 'AWS_SECRET_ACCESS_KEY',
  MAX_SEND_RATE: 'SES_LOCAL_RATE',
  ENFORCE_SEND_RATE: 'SES_LOCAL_ENFORCE_RATE',
  EVENTS_ENDPOINT: 'SES_LOCAL_EVENTS_ENDPOINT',
  EVENTS_QUEUE: 'SES_LOCAL_EVENTS_QUEUE',
  QUEUE_VISIBILITY_SECONDS: 'SES_LOCAL_QUEUE_VISIBILITY_SECONDS',
  CONFIGURATION_SETS: 'SES_CONFIGURATION_SET',
};

export interface SesLocalSettings {
  config: Omit<SesLocalConfig, 'logger'>;
  logLevel: string;
  exitsWithParent: boolean;
}

/** Every problem with the settings, one a line. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

/** @throws {SettingsError} */
export function readSettings(env: NodeJS.ProcessEnv): SesLocalSettings {
  const nameOf = (name: Name) => {
    const longer = LONGER_NAMES[name];
    return longer !== undefined && env[longer] ? longer : name;
  };
  const names = Object.keys(Settings.shape) as Name[];
  const parsed = Settings.safeParse(
    Object.fromEntries(names.map((name) => [name, env[nameOf(name)] || undefined])),
  );
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `${nameOf(path[0] as Name)}: ${message}`);
    throw new SettingsError(lines.join('\n'));
  }
  const settings = parsed.data;
  return {
    logLevel: settings.LOG_LEVEL,
    exitsWithParent: settings.EXIT_WITH_PARENT === '1',
    config: {
      host: settings.HOST,
      port: settings.PORT,
      signatureSeconds: settings.SIGNATURE_SECONDS,
      verifySignature: settings.VERIFY_SIGNATURE,
      accessKeyId: settings.ACCESS_KEY_ID,
      secretAccessKey: settings.SECRET_ACCESS_KEY,
      configurationSets: settings.CONFIGURATION_SETS.split(',').map((name) => name.trim()),
      mailLimit: settings.MAIL_LIMIT,
      contentLimit: Math.min(settings.CONTENT_LIMIT, settings.MAIL_LIMIT),
      account: {
        maxSendRate: settings.MAX_SEND_RATE,
        max24HourSend: settings.MAX_24H,
        enforcesRate: settings.ENFORCE_SEND_RATE,
      },
      signatureVersion: settings.EVENTS_SIGNATURE_VERSION,
      hasQueue: settings.EVENTS_QUEUE,
      queueVisibilitySeconds: settings.QUEUE_VISIBILITY_SECONDS,
      ...(settings.CONFIRMATION_URL && { publicUrl: settings.CONFIRMATION_URL }),
      ...(settings.EVENTS_ENDPOINT && { eventsEndpoint: settings.EVENTS_ENDPOINT }),
      ...(settings.TOPIC_ARN && { topicArn: settings.TOPIC_ARN }),
    },
  };
}
