/** What the overview shows, read without looking at any recipient: the same for all who look within a second. */
import { readStanding, type Standing, type StandingServices } from '@sendonce/shared/conditions';
import { readDurability } from '@sendonce/shared/ledger';
import type { HistoryPoint, RunRecord, Runs } from '@sendonce/shared/run';
import type { RedisConnection } from '@sendonce/shared/runtime';
import { cached } from './cached.js';

const DAY_MS = 86_400_000;
/** These cost Redis more than the rest, and change seldom, ms. */
const WORKERS_MAX_AGE_MS = 5_000;
const DURABILITY_MAX_AGE_MS = 30_000;

/** Of so many runs that are sending the overview tells when they will be done; pages of the others do. */
const HISTORIES = 12;

export interface OverviewServices extends Omit<StandingServices, 'countWorkers' | 'readDurability'> {
  redis: RedisConnection;
}

export interface Overview extends Standing {
  /** How runs that are sending have grown, by their id. */
  histories: ReadonlyMap<string, HistoryPoint[]>;
  /** The newest of the runs that have ended. */
  ended: RunRecord[];
  /** Sums over the runs of the last 24 hours. */
  day: { runs: number; sent: number; rejected: number; inDoubt: number; delivered: number };
}

export function overviewReader(services: OverviewServices): () => Promise<Overview> {
  const { queues, redis, runs } = services;
  const standing: StandingServices = {
    ...services,
    countWorkers: cached(WORKERS_MAX_AGE_MS, () => queues.sends.getWorkersCount()),
    readDurability: cached(DURABILITY_MAX_AGE_MS, () => readDurability(redis)),
  };
  return cached(900, async () => {
    const [now, day, latest] = await Promise.all([
      readStanding(standing),
      runs.scheduledWithin(DAY_MS),
      runs.list(8),
    ]);
    const ended = latest.filter(({ id }) => !now.open.some((run) => run.id === id));
    return { ...now, ended, histories: await historiesOf(runs, now.open), day: sumOf(day) };
  });
}

async function historiesOf(runs: Runs, open: readonly RunRecord[]): Promise<Overview['histories']> {
  const sending = open.filter(({ status }) => status === 'sending').slice(0, HISTORIES);
  return new Map(await Promise.all(sending.map(async ({ id }) => [id, await runs.history(id)] as const)));
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
