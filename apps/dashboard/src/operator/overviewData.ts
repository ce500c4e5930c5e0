/** What the overview shows, read without looking at any recipient: the same for all who look within a second. */
import type { SchedulePauses } from '@sendonce/shared/control';
import type { Reputation, ReputationWindow } from '@sendonce/shared/events';
import { type Durability, readDurability } from '@sendonce/shared/ledger';
import type { Queues } from '@sendonce/shared/queue';
import type { RunRecord, Runs } from '@sendonce/shared/run';
import type { Clock, RedisConnection } from '@sendonce/shared/runtime';
import type { AccountState } from '@sendonce/shared/ses';
import { cached } from './cached.js';
import { type NextRun, nextRuns } from './nextRuns.js';

const DAY_MS = 86_400_000;
/** These cost Redis more than the rest, and change seldom, ms. */
const WORKERS_MAX_AGE_MS = 5_000;
const DURABILITY_MAX_AGE_MS = 30_000;

export interface OverviewServices {
  clock: Clock;
  pauses: SchedulePauses;
  queues: Queues;
  redis: RedisConnection;
  reputation: ReputationWindow;
  runs: Runs;
  /** What the workers know of the SES account. */
  readAccount(): Promise<AccountState | undefined>;
}

export interface Overview {
  now: number;
  /** Open runs, the newest first. */
  open: RunRecord[];
  /** The newest of those that have ended. */
  ended: RunRecord[];
  next: NextRun[];
  /** Sums over the runs of the last 24 hours. */
  day: { runs: number; sent: number; rejected: number; inDoubt: number; delivered: number };
  account: AccountState | undefined;
  reputation: Reputation;
  workers: number;
  waitingJobs: number;
  durability: Durability;
}

export function overviewReader(services: OverviewServices): () => Promise<Overview> {
  const { clock, queues, readAccount, redis, reputation, runs } = services;
  const workers = cached(WORKERS_MAX_AGE_MS, () => queues.sends.getWorkersCount());
  const durability = cached(DURABILITY_MAX_AGE_MS, () => readDurability(redis));
  return cached(900, async () => {
    const [open, day, latest, next, ...rest] = await Promise.all([
      openRuns(runs),
      runs.scheduledWithin(DAY_MS),
      runs.list(8),
      nextRuns(services),
      readAccount(),
      reputation.read(),
      workers(),
      queues.sends.getJobCountByTypes('waiting', 'prioritized', 'active'),
      durability(),
    ]);
    const [account, standing, workersAlive, waitingJobs, redisDurability] = rest;
    return {
      now: clock.now(),
      open,
      ended: latest.filter(({ id }) => !open.some((run) => run.id === id)),
      next,
      day: sumOf(day),
      account,
      reputation: standing,
      workers: workersAlive,
      waitingJobs,
      durability: redisDurability,
    };
  });
}

/** Ended ones stay among the open until they are tidied up; those are passed over, unless somebody is in doubt. */
async function openRuns(runs: Runs): Promise<RunRecord[]> {
  const records = await Promise.all((await runs.open()).map((run) => runs.find(run)));
  return records
    .filter((run) => run !== undefined)
    .filter(
      ({ status, numbers }) => status !== 'finished' && (status !== 'cancelled' || numbers.in_doubt > 0),
    )
    .sort((a, b) => b.scheduledAt.getTime() - a.scheduledAt.getTime());
}

function sumOf(runs: readonly RunRecord[]): Overview['day'] {
  const sum = { runs: runs.length, sent: 0, rejected: 0, inDoubt: 0, delivered: 0 };
  for (const { numbers, outcomes } of runs) {
    sum.sent += numbers.sent;
    sum.rejected += numbers.rejected;
    sum.inDoubt += numbers.in_doubt;
    sum.delivered += outcomes.delivered;
  }
  return sum;
}
