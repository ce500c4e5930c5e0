/** How the installation stands: what is open, what comes next, and what everything depends on. No recipient is looked at. */
import type { Hold } from '../continuity/index.js';
import { type NextRun, nextRuns, type SchedulePauses } from '../control/index.js';
import type { Reputation, ReputationWindow } from '../events/index.js';
import type { Durability } from '../ledger/index.js';
import type { Queues } from '../queue/index.js';
import type { RunRecord, Runs } from '../run/index.js';
import type { Clock } from '../runtime/index.js';
import type { AccountState } from '../ses/index.js';

export interface StandingServices {
  clock: Clock;
  pauses: SchedulePauses;
  queues: Queues;
  reputation: ReputationWindow;
  runs: Runs;
  /** What the workers know of the SES account. */
  readAccount(): Promise<AccountState | undefined>;
  /** These two cost Redis more than the rest, and change seldom. */
  countWorkers(): Promise<number>;
  readDurability(): Promise<Durability>;
  readHold(): Promise<Hold | undefined>;
}

export interface Standing {
  now: number;
  /** Open runs, the newest first. */
  open: RunRecord[];
  next: NextRun[];
  account: AccountState | undefined;
  reputation: Reputation;
  workers: number;
  /** Of sending. */
  waitingJobs: number;
  durability: Durability;
  hold: Hold | undefined;
}

export async function readStanding(services: StandingServices): Promise<Standing> {
  const { clock, queues, reputation, runs } = services;
  const [open, next, account, reputationNow, workers, waitingJobs, durability, hold] = await Promise.all([
    openRuns(runs),
    nextRuns(services),
    services.readAccount(),
    reputation.read(),
    services.countWorkers(),
    waitingJobsOf(queues),
    services.readDurability(),
    services.readHold(),
  ]);
  return {
    now: clock.now(),
    open,
    next,
    account,
    reputation: reputationNow,
    workers,
    waitingJobs,
    durability,
    hold,
  };
}

async function waitingJobsOf({ messages, sends }: Queues): Promise<number> {
  const counts = await Promise.all(
    [messages, sends].map((queue) => queue.getJobCountByTypes('waiting', 'prioritized', 'active')),
  );
  return counts.reduce((sum, count) => sum + count, 0);
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
