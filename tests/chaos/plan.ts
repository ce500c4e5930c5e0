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
  /** SIGKILL, and a start on the same data. */
  | { kind: 'kill-redis' }
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

/**
 * @param hasEvents false: only faults that are no doubt by themselves, so that every doubt is one of a kill.
 */
export function makePlan(seed: number, chunks: number, hasEvents = true): Plan {
  const random = xoroshiro128plus(seed);
  const upTo = (most: number): number => uniformInt(random, 0, most);
  const makers: (() => Action)[] = [
    () => ({ kind: 'kill-worker', worker: upTo(WORKERS - 1) }),
    () => ({ kind: 'freeze-worker', worker: upTo(WORKERS - 1) }),
    () => ({ kind: 'kill-redis' }),
    () => ({ kind: 'cut-network', forMs: 200 + upTo(1_500) }),
    () => ({ kind: 'redeliver', chunk: upTo(chunks - 1) }),
    () => ({ kind: 'start-again' }),
    () => ({ kind: 'second-scheduler' }),
    () => ({ kind: 'retry-finished', chunk: upTo(chunks - 1) }),
  ];
  const count = 2 + upTo(3);
  const actions = Array.from({ length: count }, () => {
    const make = makers[upTo(makers.length - 1)] as () => Action;
    return { atMs: 300 + upTo(ACTIONS_WITHIN_MS), action: make() };
  });
  actions.sort((a, b) => a.atMs - b.atMs);
  const faults = hasEvents ? [...CLEAR, ...AMBIGUOUS, ...OF_EVENTS] : CLEAR;
  return { seed, actions, faults: faults[upTo(faults.length - 1)] ?? [], hasEvents };
}

/** Recipients of a micro-batch, and micro-batches that a worker has at once: what it leaves in doubt when it dies. */
const BATCH_SIZE = 100;
const BATCHES_AT_ONCE = 4;

/** With events every doubt is settled; without them a worker that dies or freezes may leave what it had claimed. */
export function doubtsAllowed({ actions, hasEvents }: Plan): number {
  if (hasEvents) return 0;
  const deaths = actions.filter(({ action: { kind } }) => kind === 'kill-worker' || kind === 'freeze-worker');
  return deaths.length * BATCHES_AT_ONCE * BATCH_SIZE;
}
