/** What commands share: settings, one connection, and the services over it, opened only when a command needs them. */
import { type AuditDeed, AuditTrail } from '@sendonce/shared/audit';
import { MailOutcomes } from '@sendonce/shared/events';
import { ClaimBarrier, Ledger, NotDurableError, readDurability } from '@sendonce/shared/ledger';
import { Clicks } from '@sendonce/shared/links';
import { closeQueues, openQueues, type Queues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import {
  systemClock as clock,
  closeRedis,
  connectRedis,
  makeLogger,
  type RedisConnection,
  readSettings,
  type Settings,
  UsageError,
} from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';
import { recordDeed } from './audit.js';

export interface Context {
  audit: AuditTrail;
  clicks: Clicks;
  settings: Settings;
  redis: RedisConnection;
  queues: Queues;
  ledger: Ledger;
  outcomes: MailOutcomes;
  runs: Runs;
  suppressions: SuppressionList;
}

export type DurableDeed = Pick<AuditDeed, 'action' | 'subject'> & { again?: string };

/** How long a command waits for Redis before it says that it can't be reached, ms. */
const REDIS_TIMEOUT_MS = 5_000;

/** Lends the services to a command and closes them after it. */
export async function withContext<Result>(command: (context: Context) => Promise<Result>): Promise<Result> {
  const settings = readSettings();
  const { prefix, url } = settings.redis;
  const redis = connectRedis({ url, name: 'cli', logger: makeLogger('cli', 'silent'), waitsForRedis: false });
  try {
    await assertReachable(redis, url);
    const queues = openQueues(redis, prefix);
    const ledger = new Ledger({ redis, prefix });
    const runs = new Runs({ redis, prefix, clock });
    const outcomes = new MailOutcomes({ redis, runs }, { prefix });
    const suppressions = new SuppressionList({ redis, prefix, clock });
    const clicks = new Clicks({ redis }, { prefix, retentionMs: settings.ledgerRetentionMs });
    const audit = new AuditTrail({ redis, prefix, clock });
    const context = { audit, clicks, settings, redis, queues, ledger, outcomes, runs, suppressions };
    return await command(context).finally(() => closeQueues(queues));
  } finally {
    await closeRedis(redis);
  }
}

/**
 * Lends the services of commands that tell somebody of what he will not say again: they wait for disk and replicas where Redis's
 * reply alone makes nothing durable. When those don't confirm, the audit trail says so.
 * @param again a sentence for the operator on what makes sure of it then.
 */
export async function withDurable<Result>(
  context: Context,
  { again = 'The same command once more makes sure of it.', ...deed }: DurableDeed,
  command: (durable: Pick<Context, 'runs' | 'suppressions'>) => Promise<Result>,
): Promise<Result> {
  const { redis, settings } = context;
  const { minReplicas, prefix } = settings.redis;
  const { safeguard } = await readDurability(redis, minReplicas);
  const barrier = safeguard && new ClaimBarrier({ redis }, safeguard);
  const services = { redis, prefix, clock, barrier };
  try {
    return await command({ runs: new Runs(services), suppressions: new SuppressionList(services) });
  } catch (error) {
    if (!(error instanceof NotDurableError)) throw error;
    await recordDeed(context, { ...deed, outcome: 'failed', detail: error.message });
    throw new UsageError(`${error.message}. A failover may lose what was done. ${again}`, { cause: error });
  } finally {
    await barrier?.stop();
  }
}

async function assertReachable(redis: RedisConnection, url: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), REDIS_TIMEOUT_MS);
  });
  try {
    await Promise.race([redis.ping(), timeout]);
  } catch (error) {
    const hosts = url.split(',').map((part) => new URL(part).host);
    throw new UsageError(`Redis at ${hosts.join(', ')} can't be reached (REDIS_URL). Is it running?`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}
