/**
 * What goes wrong in a round: drawn from a seed, so that a round that failed can be played again.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export type Action =
  /** SIGKILL; another worker comes a moment later. */
  | { kind: 'kill-worker'; worker: number }
  /** SIGSTOP, and SIGCONT when the fence has passed. */
  | { kind: 'freeze-worker'; worker: number }
  /** SIGKILL, and a start on the same data; in a cluster one of the masters. */
  | { kind: 'kill-redis'; server: number }
  /** Of a cluster: it stays dead until its replica has taken over. */
  | { kind: 'kill-master'; server: number }
  /** Between the workers and Redis. */
  | { kind: 'cut-network'; forMs: number }
  /** A chunk's job once more: retried, or removed and added. */
  | { kind: 'redeliver'; chunk: number }
  /** The same run started again by hand, by two at once. */
  | { kind: 'start-again' }
  /** Another scheduler comes up, with the same campaigns. */
  | { kind: 'second-scheduler' }
  /** A finished job is retried, as Bull Board's button does. */
  | { kind: 'retry-finished'; chunk: number };

export interface Plan {
  seed: number;
  actions: { atMs: number; action: Action }[];
  /** Rules for the local SES. */
  faults: { fault: string; probability?: number; latencyMs?: object; burst?: object }[];
  /** Whether SES's events arrive. Without them doubts stay, and `in_doubt: hold` leaves them to an operator. */
  hasEvents: boolean;
}

export const WORKERS = 2;
const MASTERS = 3;

/** Everything starts within this time; a run takes longer than that. */
const ACTIONS_WITHIN_MS = 5_000;

/** After these nobody knows; each leaves a doubt. */
const AMBIGUOUS: Plan['faults'][] = [
  [{ fault: 'accept-then-reset', probability: 0.02 }],
  [{ fault: 'accept-then-500', probability: 0.02 }],
  [{ fault: 'accept-then-503', probability: 0.02 }],
  [{ fault: 'accept-then-hang', probability: 0.005 }],
  [{ fault: 'refuse-then-reset', probability: 0.02 }],
];

const CLEAR: Plan['faults'][] = [
  [],
  [{ fault: 'throttle', burst: { every: 400, length: 20 } }],
  // Below SES_TIMEOUT_SECONDS: an answer that never comes would be ambiguous.
  [{ fault: 'latency-after', latencyMs: { min: 10, max: 400 } }],
];

const OF_EVENTS: Plan['faults'][] = [
  [
    { fault: 'events-doubled', probability: 0.2 },
    { fault: 'events-late', probability: 0.2, latencyMs: { min: 0, max: 800 } },
  ],
];

export interface PlanOptions {
  /** False: only faults that are no doubt by themselves, so that every doubt is one of a kill. Default true. */
  hasEvents?: boolean;
  /** On a cluster, of which every round loses a master at least. Default false. */
  isCluster?: boolean;
}

export function makePlan(
  seed: number,
  chunks: number,
  { hasEvents = true, isCluster = false }: PlanOptions = {},
): Plan {
  const random = xoroshiro128plus(seed);
  const upTo = (most: number): number => uniformInt(random, 0, most);
  const makers: (() => Action)[] = [
    () => ({ kind: 'kill-worker', worker: upTo(WORKERS - 1) }),
    () => ({ kind: 'freeze-worker', worker: upTo(WORKERS - 1) }),
    () => ({ kind: 'kill-redis', server: isCluster ? upTo(MASTERS - 1) : 0 }),
    () => ({ kind: 'cut-network', forMs: 200 + upTo(1_500) }),
    () => ({ kind: 'redeliver', chunk: upTo(chunks - 1) }),
    () => ({ kind: 'start-again' }),
    () => ({ kind: 'second-scheduler' }),
    () => ({ kind: 'retry-finished', chunk: upTo(chunks - 1) }),
  ];
  const killMaster = (): Action => ({ kind: 'kill-master', server: upTo(MASTERS - 1) });
  if (isCluster) makers.push(killMaster);
  const count = 2 + upTo(3);
  const actions = Array.from({ length: count }, () => {
    const make = makers[upTo(makers.length - 1)] as () => Action;
    return { atMs: 300 + upTo(ACTIONS_WITHIN_MS), action: make() };
  });
  if (isCluster) actions.push({ atMs: 300 + upTo(ACTIONS_WITHIN_MS), action: killMaster() });
  actions.sort((a, b) => a.atMs - b.atMs);
  const faults = hasEvents ? [...CLEAR, ...AMBIGUOUS, ...OF_EVENTS] : CLEAR;
  return { seed, actions, faults: faults[upTo(faults.length - 1)] ?? [], hasEvents };
}

/** Recipients of a micro-batch, and micro-batches that a worker has at once: what it leaves in doubt when it dies. */
const BATCH_SIZE = 100;
const BATCHES_AT_ONCE = 4;

/**
 * With events every doubt is settled; without them a worker that dies or freezes may leave what it had claimed. A master that
 * dies takes the latest answers with it, of all workers: a replica has to have claims, and not what became of them.
 */
export function doubtsAllowed({ actions, hasEvents }: Plan): number {
  if (hasEvents) return 0;
  const left = { 'kill-worker': 1, 'freeze-worker': 1, 'kill-master': WORKERS } as Record<string, number>;
  const workers = actions.reduce((sum, { action: { kind } }) => sum + (left[kind] ?? 0), 0);
  return workers * BATCHES_AT_ONCE * BATCH_SIZE;
}
