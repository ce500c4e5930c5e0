/**
 * The settings, from the environment and a `.env` beside it, checked once at the start: all errors at once, unknown names
 * with the name that was probably meant. The only place that reads `process.env`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type AlertOptions, parseMailboxes } from '@sendonce/alerts';
import leven from 'leven';
import { z } from 'zod';
import { type ApiKey, parseApiKeys } from './apiKeys.js';
import {
  DASHBOARD_VARIABLES,
  type DashboardSettings,
  dashboardContradictions,
  toDashboardSettings,
} from './dashboardSettings.js';
import { messageOf, SettingsError } from './errors.js';
import { readSecretFiles, SECRETS } from './secretFiles.js';

const port = z.coerce.number().int().min(0).max(65_535);
const share = z.coerce.number().min(0).max(1);
const days = z.coerce.number().positive().max(3_650);
const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `expected a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

const mailboxes = z.string().superRefine((text, context) => {
  try {
    parseMailboxes(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
});

const linkSecret = z.string().min(32, 'expected at least 32 characters');

const redisUrl = z
  .string()
  .refine(
    (text) => text.split(',').every((part) => url('redis:', 'rediss:').safeParse(part.trim()).success),
    {
      error: 'expected redis://host:port or rediss://…; several separated by commas are a cluster',
    },
  );

const Variables = z.object({
  /** Redis; `demo` and `test` bring their own. */
  REDIS_URL: redisUrl,
  /** `yes`: send although Redis would lose the ledger in a crash. */
  ALLOW_VOLATILE_REDIS: z.enum(['yes', 'no'], 'expected yes or no').default('no'),
  /** How many replicas must have a claim before SES hears of it. Default: one, where Redis has replicas. */
  REDIS_MIN_REPLICAS: z.coerce.number().int().min(0).max(5).optional(),
  /** First part of every key, so that several installations, or tests, share a server. */
  REDIS_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, 'expected letters, digits, - and _')
    .default('sendonce'),
  AWS_REGION: z.string().default('us-east-1'),
  /** The local simulator, or a VPC endpoint. */
  AWS_ENDPOINT_URL_SESV2: url('http:', 'https:').optional(),
  SES_CONFIGURATION_SET: z.string().optional(),
  /** Who makes the SendEmail calls: code of ours, or the AWS SDK, which takes ten times the processor time. */
  SES_CLIENT: z.enum(['light', 'sdk'], 'expected light or sdk').default('light'),
  /** Recipients a second, all workers together. Default: what GetAccount says. */
  SES_MAX_RATE: z.coerce.number().positive().optional(),
  /** How old what GetAccount said may get, in seconds: rate, quota, whether the account may send. */
  SES_ACCOUNT_REFRESH_SECONDS: z.coerce.number().min(1).max(3_600).default(60),
  /** How long one SendEmail call may take, in seconds. Longer means: no answer, in doubt. */
  SES_TIMEOUT_SECONDS: z.coerce.number().positive().max(120).default(20),
  /** How long SES accepts a signature at the most, in seconds: 5 or 15 min, by service; the longer is assumed. */
  SES_SIGNATURE_SECONDS: z.coerce.number().positive().max(900).default(900),
  /** An SQS queue that SES's events come to, instead of (or beside) the public hook. */
  SES_EVENTS_QUEUE_URL: url('http:', 'https:').optional(),
  /** A further certificate that SNS messages may be signed with, served by the local simulator. */
  SNS_LOCAL_CERTIFICATE_URL: url('http:').optional(),
  /** Topics whose messages are believed, separated by commas. */
  SNS_TOPIC_ARNS: z.string().optional(),
  /** Shares of the mails of 24 hours at which operators are warned, and at which runs pause: before AWS does it. */
  BOUNCE_RATE_WARN: share.default(0.02),
  BOUNCE_RATE_PAUSE: share.default(0.05),
  COMPLAINT_RATE_WARN: share.default(0.0005),
  COMPLAINT_RATE_PAUSE: share.default(0.001),
  CAMPAIGNS_DIR: z.string().default('campaigns'),
  /** What is remembered outside of Redis, to notice that older data are in it: a backup. */
  STATE_DIR: z.string().default('.sendonce'),
  /** Who is told when something goes wrong, and from whom: `Name <a@example.com>, …`. */
  ADMINS: mailboxes.optional(),
  SERVER_EMAIL: mailboxes
    .refine((text) => parseMailboxes(text).length === 1, 'expected one mailbox')
    .optional(),
  ALERT_SUBJECT_PREFIX: z.string().max(80).default('[Sendonce] '),
  /** At most; what comes beyond is told in a digest. */
  ALERTS_PER_HOUR: z.coerce.number().int().min(1).max(1_000).default(10),
  /** Where alerts go that SES does not take: a webhook of Slack's or Mattermost's kind, or another mail server. */
  ALERT_WEBHOOK_URL: url('http:', 'https:').optional(),
  ALERT_SMTP_URL: url('smtp:', 'smtps:').optional(),
  ...DASHBOARD_VARIABLES,
  /** Keys of the HTTP API, see apiKeys.ts; without one nobody gets in there. */
  API_KEYS: z
    .string()
    .superRefine((text, context) => {
      for (const message of parseApiKeys(text).problems) context.addIssue({ code: 'custom', message });
    })
    .optional(),
  PUBLIC_HOST: z.string().default('127.0.0.1'),
  PUBLIC_PORT: port.default(3001),
  /** In the header of every mail, where a value has 995 characters at the most and a token takes up to 520. */
  PUBLIC_URL: url('http:', 'https:')
    .refine((text) => text.length <= 400 && !/[?#]/.test(text), 'expected a URL without ? and #, at most 400')
    .optional(),
  LINK_SECRET: linkSecret.optional(),
  /** Its links are still read, after the secret was changed. */
  LINK_SECRET_PREVIOUS: linkSecret.optional(),
  /** Transient bounces in 30 days; 0: never. */
  SUPPRESS_AFTER_TRANSIENT_BOUNCES: z.coerce.number().int().min(0).max(1_000).default(5),
  /** How long after a claim silence may be read as an answer, in seconds. */
  FENCE_SECONDS: z.coerce.number().positive().default(1_200),
  JOURNAL_RETENTION_DAYS: days.default(14),
  LEDGER_RETENTION_DAYS: days.default(90),
  /** Where /healthz, /readyz and /metrics are served, without a login: not for the public. */
  HEALTH_HOST: z.string().default('127.0.0.1'),
  /** A port a kind of process, because all of them read one `.env`; 0: any that is free. */
  WORKER_HEALTH_PORT: port.optional(),
  SCHEDULER_HEALTH_PORT: port.optional(),
  DASHBOARD_HEALTH_PORT: port.optional(),
  /** Where traces go, by OpenTelemetry's own names; without one there are none, and nothing of it is loaded. */
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  /** The share of jobs that is traced. */
  OTEL_TRACES_SAMPLER_ARG: share.default(1),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

type Variable = keyof typeof Variables.shape;

/** Every name that a setting may have; of secrets also the name of the file that holds it. */
export const SETTING_NAMES: readonly string[] = [
  ...Object.keys(Variables.shape),
  ...SECRETS.map((name) => `${name}_FILE`),
];

/** Only names that look like ours are held to be typing errors; a process's environment is full of others'. */
const OURS =
  /^(ADMINS|ALERTS?|BOUNCE|COMPLAINT|SES(?!_LOCAL)|SNS|DASHBOARD|PUBLIC|FENCE|JOURNAL|LEDGER|CAMPAIGNS|REDIS|LINK|OIDC|SUPPRESS|SERVER_EMAIL|SENDONCE|HEALTH|(WORKER|SCHEDULER)_HEALTH)(_|$)/;

/** Clocks may differ by this much, in seconds, before we refuse to work (checked against Redis and SES). */
const CLOCK_SKEW_SECONDS = 60;

export type ProcessName = 'worker' | 'scheduler' | 'dashboard';

export interface Settings {
  redis: { url: string; prefix: string; allowsVolatile: boolean; minReplicas: number | undefined };
  ses: {
    region: string;
    endpoint?: string;
    sender: 'light' | 'sdk';
    configurationSet?: string;
    eventsQueueUrl?: string;
    maxRatePerSecond?: number;
    timeoutMs: number;
    accountRefreshMs: number;
    /** True when the endpoint is a simulator, not Amazon's. */
    isLocal: boolean;
  };
  reputation: { bounceWarn: number; bouncePause: number; complaintWarn: number; complaintPause: number };
  sns: { localCertificateUrl?: string; topicArns: string[] };
  campaignsDir: string;
  stateDir: string;
  fenceMs: number;
  journalRetentionMs: number;
  ledgerRetentionMs: number;
  alerts: AlertOptions;
  dashboard: DashboardSettings;
  apiKeys: ApiKey[];
  public: { host: string; port: number; url: string; linkSecret?: string; previousLinkSecret?: string };
  /** How many transient bounces in 30 days suppress an address; 0: never. */
  suppressAfterTransientBounces: number;
  /** Ports that were set; where none was, healthServer.ts has one. */
  health: { host: string; ports: Partial<Record<ProcessName, number>> };
  /** Undefined: nothing is traced. */
  tracing?: { endpoint: string; share: number };
  logLevel: string;
}

/**
 * @param env default: `process.env`, with the `.env` of the working folder.
 * @throws {SettingsError} with every problem.
 */
export function readSettings(env: NodeJS.ProcessEnv = withDotEnv()): Settings {
  const named = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const { secrets, problems: secretProblems } = readSecretFiles(named);
  // A file that can't be read is one problem, not also a setting that is missing.
  if (secretProblems.length > 0) throw new SettingsError([...unknownVariables(named), ...secretProblems]);
  const given = { ...named, ...secrets };
  const problems = unknownVariables(given);
  const parsed = Variables.safeParse(given);
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => describeIssue(issue, given)));
  if (!parsed.success) throw new SettingsError(problems);
  const settings = toSettings(parsed.data);
  problems.push(...contradictions(parsed.data, settings));
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

/**
 * Where the campaign files are, for commands that read nothing else: they need no Redis. What is set is checked all the same.
 * @throws {SettingsError} with every problem.
 */
export function readCampaignsDir(env: NodeJS.ProcessEnv = withDotEnv()): string {
  const isUnset = !env.REDIS_URL && !env.REDIS_URL_FILE;
  return readSettings(isUnset ? { ...env, REDIS_URL: 'redis://unused' } : env).campaignsDir;
}

/** Into the environment itself, because the AWS SDK looks for its credentials there; what stands there already wins. */
function withDotEnv(): NodeJS.ProcessEnv {
  const file = join(process.cwd(), '.env');
  if (existsSync(file)) process.loadEnvFile(file);
  return process.env;
}

function unknownVariables(given: NodeJS.ProcessEnv): string[] {
  return Object.keys(given)
    .filter((name) => OURS.test(name) && !SETTING_NAMES.includes(name))
    .map((name) => {
      const nearest = SETTING_NAMES.reduce((best, candidate) =>
        leven(name, candidate) < leven(name, best) ? candidate : best,
      );
      const hint = leven(name, nearest) <= 3 ? ` Did you mean ${nearest}?` : '';
      return `${name}: there is no such setting.${hint}`;
    });
}

function describeIssue(issue: z.core.$ZodIssue, given: NodeJS.ProcessEnv): string {
  const name = issue.path[0] as Variable;
  if (given[name] === undefined && name === 'REDIS_URL') {
    return 'REDIS_URL is not set: expected redis://host:port (`npm run demo` and `npm test` bring a server of their own)';
  }
  return `${name}: ${issue.message}`;
}

function contradictions(variables: z.infer<typeof Variables>, settings: Settings): string[] {
  const problems: string[] = [];
  const signatureSeconds = variables.SES_SIGNATURE_SECONDS;
  // With Amazon itself the fence can't be shortened: a signature may be good for 15 minutes, and clocks differ.
  const leastFence = settings.ses.isLocal ? signatureSeconds : 900 + CLOCK_SKEW_SECONDS;
  if (variables.FENCE_SECONDS < leastFence) {
    problems.push(
      `FENCE_SECONDS: ${variables.FENCE_SECONDS} is less than ${leastFence}, the time for which SES may still accept a claim's request`,
    );
  }
  if (settings.ses.timeoutMs / 1_000 >= variables.FENCE_SECONDS)
    problems.push('SES_TIMEOUT_SECONDS: expected less than FENCE_SECONDS');
  if (variables.LEDGER_RETENTION_DAYS < variables.JOURNAL_RETENTION_DAYS) {
    problems.push('LEDGER_RETENTION_DAYS: expected at least JOURNAL_RETENTION_DAYS');
  }
  if (variables.ADMINS && !variables.SERVER_EMAIL)
    problems.push('SERVER_EMAIL is not set: mails to ADMINS come from it');
  if (variables.ALERT_SMTP_URL && !variables.ADMINS)
    problems.push('ADMINS is not set: ALERT_SMTP_URL would not know whom to send to');
  problems.push(...dashboardContradictions(variables));
  return problems;
}

function toSettings(variables: z.infer<typeof Variables>): Settings {
  const dashboard = toDashboardSettings(variables);
  const endpoint = variables.AWS_ENDPOINT_URL_SESV2;
  const isLocal =
    endpoint !== undefined && !/\.(amazonaws\.com(\.cn)?|api\.aws)$/.test(new URL(endpoint).hostname);
  return {
    redis: {
      url: variables.REDIS_URL,
      prefix: variables.REDIS_PREFIX,
      allowsVolatile: variables.ALLOW_VOLATILE_REDIS === 'yes',
      minReplicas: variables.REDIS_MIN_REPLICAS,
    },
    ses: {
      region: variables.AWS_REGION,
      sender: variables.SES_CLIENT,
      ...(endpoint && { endpoint }),
      ...(variables.SES_CONFIGURATION_SET && { configurationSet: variables.SES_CONFIGURATION_SET }),
      ...(variables.SES_EVENTS_QUEUE_URL && { eventsQueueUrl: variables.SES_EVENTS_QUEUE_URL }),
      ...(variables.SES_MAX_RATE && { maxRatePerSecond: variables.SES_MAX_RATE }),
      timeoutMs: variables.SES_TIMEOUT_SECONDS * 1_000,
      accountRefreshMs: variables.SES_ACCOUNT_REFRESH_SECONDS * 1_000,
      isLocal,
    },
    reputation: {
      bounceWarn: variables.BOUNCE_RATE_WARN,
      bouncePause: variables.BOUNCE_RATE_PAUSE,
      complaintWarn: variables.COMPLAINT_RATE_WARN,
      complaintPause: variables.COMPLAINT_RATE_PAUSE,
    },
    sns: {
      ...(isLocal &&
        variables.SNS_LOCAL_CERTIFICATE_URL && { localCertificateUrl: variables.SNS_LOCAL_CERTIFICATE_URL }),
      topicArns: (variables.SNS_TOPIC_ARNS ?? '')
        .split(',')
        .map((arn) => arn.trim())
        .filter(Boolean),
    },
    campaignsDir: variables.CAMPAIGNS_DIR,
    stateDir: variables.STATE_DIR,
    fenceMs: variables.FENCE_SECONDS * 1_000,
    journalRetentionMs: variables.JOURNAL_RETENTION_DAYS * 86_400_000,
    ledgerRetentionMs: variables.LEDGER_RETENTION_DAYS * 86_400_000,
    alerts: toAlertOptions(variables, dashboard.url),
    dashboard,
    apiKeys: parseApiKeys(variables.API_KEYS ?? '').keys,
    public: {
      host: variables.PUBLIC_HOST,
      port: variables.PUBLIC_PORT,
      url: variables.PUBLIC_URL ?? `http://${variables.PUBLIC_HOST}:${variables.PUBLIC_PORT}`,
      ...(variables.LINK_SECRET && { linkSecret: variables.LINK_SECRET }),
      ...(variables.LINK_SECRET_PREVIOUS && { previousLinkSecret: variables.LINK_SECRET_PREVIOUS }),
    },
    suppressAfterTransientBounces: variables.SUPPRESS_AFTER_TRANSIENT_BOUNCES,
    health: {
      host: variables.HEALTH_HOST,
      ports: {
        ...(variables.WORKER_HEALTH_PORT !== undefined && { worker: variables.WORKER_HEALTH_PORT }),
        ...(variables.SCHEDULER_HEALTH_PORT !== undefined && { scheduler: variables.SCHEDULER_HEALTH_PORT }),
        ...(variables.DASHBOARD_HEALTH_PORT !== undefined && { dashboard: variables.DASHBOARD_HEALTH_PORT }),
      },
    },
    ...(variables.OTEL_EXPORTER_OTLP_ENDPOINT && {
      tracing: {
        endpoint: variables.OTEL_EXPORTER_OTLP_ENDPOINT,
        share: variables.OTEL_TRACES_SAMPLER_ARG,
      },
    }),
    logLevel: variables.LOG_LEVEL,
  };
}

function toAlertOptions(variables: z.infer<typeof Variables>, dashboardUrl: string): AlertOptions {
  const endpoint = variables.AWS_ENDPOINT_URL_SESV2;
  return {
    subjectPrefix: variables.ALERT_SUBJECT_PREFIX,
    mailsPerHour: variables.ALERTS_PER_HOUR,
    region: variables.AWS_REGION,
    redisUrl: variables.REDIS_URL,
    redisKey: `${variables.REDIS_PREFIX}:1:{alerts}`,
    pagesUrl: dashboardUrl,
    ...(variables.ADMINS && { admins: variables.ADMINS }),
    ...(variables.SERVER_EMAIL && { serverEmail: variables.SERVER_EMAIL }),
    ...(variables.ALERT_WEBHOOK_URL && { webhookUrl: variables.ALERT_WEBHOOK_URL }),
    ...(variables.ALERT_SMTP_URL && { smtpUrl: variables.ALERT_SMTP_URL }),
    ...(endpoint && { endpoint }),
  };
}
