/** Alerts from options that are plain data, so that they can be given to a pino transport in its own thread. */
import { hostname } from 'node:os';
import { Cluster, Redis } from 'ioredis';
import { z } from 'zod';
import { RedisStore } from './alertStore.js';
import { Alerts, type AlertsServices } from './alerts.js';
import { type Channel, sesChannel, smtpChannel, webhookChannel } from './channels.js';
import { type Mailbox, parseMailboxes } from './mailboxes.js';

const mailboxes = z.string().transform((text, context): Mailbox[] => {
  try {
    return parseMailboxes(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const Options = z
  .strictObject({
    /** Who is told: `Name <a@example.com>, …`. */
    admins: mailboxes.optional(),
    /** From whom; SES must know it. */
    serverEmail: mailboxes.optional(),
    subjectPrefix: z.string().max(80).optional(),
    mailsPerHour: z.number().int().min(1).max(1_000).optional(),
    intervalsMs: z.array(z.number().positive()).min(1).optional(),
    /** Second channels, for when SES takes no mail. */
    webhookUrl: z.url({ protocol: /^https?$/ }).optional(),
    smtpUrl: z.url({ protocol: /^smtps?$/ }).optional(),
    /** Default: the AWS SDK's own, from the environment. */
    region: z.string().optional(),
    endpoint: z.string().optional(),
    /** With it all processes count together. Several, separated by commas: a cluster. */
    redisUrl: z.string().optional(),
    redisKey: z.string().default('{alerts}'),
    pagesUrl: z.string().optional(),
    /** Of the application, for the mail. */
    name: z.string().default('application'),
    version: z.string().optional(),
  })
  .refine(({ admins, serverEmail }) => !admins || serverEmail?.length === 1, {
    error: 'serverEmail is not set, or is more than one address: mails to admins come from it',
  });

export type AlertOptions = z.input<typeof Options>;

export interface OpenAlerts {
  alerts: Alerts;
  close(): Promise<void>;
}

/**
 * @throws {Error} when an option is wrong.
 * @returns alerts that go nowhere when there is neither an administrator nor a webhook.
 */
export function openAlerts(
  options: AlertOptions,
  services: Pick<AlertsServices, 'onUndelivered'> = { onUndelivered: warnOnStderr },
): OpenAlerts {
  const parsed = Options.safeParse(options);
  if (!parsed.success) throw new Error(`Alerts: ${z.prettifyError(parsed.error)}`);
  const { redisUrl, redisKey, name, version, pagesUrl, ...config } = parsed.data;
  const redis = redisUrl ? connect(redisUrl) : undefined;
  const alerts = new Alerts(
    {
      ...services,
      channels: channelsOf(parsed.data),
      ...(redis && { store: new RedisStore(redis, redisKey) }),
    },
    {
      source: [
        name,
        `host ${hostname()}`,
        `process ${process.pid}`,
        ...(version ? [`version ${version}`] : []),
      ].join(', '),
      ...(config.subjectPrefix !== undefined && { subjectPrefix: config.subjectPrefix }),
      ...(config.mailsPerHour && { mailsPerHour: config.mailsPerHour }),
      ...(config.intervalsMs && { intervalsMs: config.intervalsMs }),
      ...(pagesUrl && { pagesUrl: pagesUrl.replace(/\/$/, '') }),
    },
  );
  return {
    alerts,
    close: async () => {
      await alerts.close();
      redis?.disconnect();
    },
  };
}

function channelsOf({
  admins,
  serverEmail,
  smtpUrl,
  webhookUrl,
  region,
  endpoint,
}: z.output<typeof Options>) {
  const channels: Channel[] = [];
  const [from] = serverEmail ?? [];
  if (admins && from) {
    const people = { from, to: admins };
    channels.push(sesChannel(people, { ...(region && { region }), ...(endpoint && { endpoint }) }));
    if (smtpUrl) channels.push(smtpChannel(people, smtpUrl));
  }
  if (webhookUrl) channels.push(webhookChannel(webhookUrl));
  return channels;
}

/**
 * Waits for the first connection, so that processes that start in the middle of a storm count together from its beginning; of
 * a Redis that is away it is known after a connection that fails, and then every process counts for itself.
 */
function connect(url: string): Redis | Cluster {
  const urls = url.split(',').map((part) => part.trim());
  const retryEveryMs = () => 250;
  const impatient = {
    connectTimeout: 1_000,
    retryStrategy: retryEveryMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
  const [first = ''] = urls;
  const { password, protocol } = new URL(first);
  const redis =
    urls.length > 1
      ? new Cluster(
          urls.map((one) => ({ host: new URL(one).hostname, port: Number(new URL(one).port || 6379) })),
          {
            clusterRetryStrategy: retryEveryMs,
            redisOptions: {
              ...impatient,
              ...(password && { password: decodeURIComponent(password) }),
              ...(protocol === 'rediss:' && { tls: {} }),
            },
          },
        )
      : new Redis(first, { ...impatient, connectionName: 'alerts' });
  // Whoever uses Redis tells of it; here it is only a reason to count alone.
  redis.on('error', () => undefined);
  return redis;
}

function warnOnStderr(reason: string): void {
  process.stderr.write(`alert not sent: ${reason}\n`);
}
