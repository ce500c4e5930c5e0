/** Where the state of the alerts lives: in Redis for all processes together, or in a process that is on its own. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { type AlertState, type Counted, emptyState, untold } from './rules.js';

export interface AlertStore {
  /** Applies a change to the state; the change may be applied several times to newer states before one counts. */
  update<T>(change: (state: AlertState) => T, signal?: AbortSignal): Promise<T>;
}

export class MemoryStore implements AlertStore {
  #state = emptyState();

  async update<T>(change: (state: AlertState) => T): Promise<T> {
    return change(this.#state);
  }

  /** What was counted here and not told. */
  untold(): Counted[] {
    return untold(this.#state);
  }

  /** Others have taken over. */
  clear(): void {
    this.#state = emptyState();
  }
}

/** Longer than anything is remembered, ms. */
const TIME_TO_LIVE_MS = 3 * 86_400_000;
const ATTEMPTS = 50;
/**
 * How long after it was read a state may be replaced, ms: less than callers wait for an update (alerts.ts), so that what they
 * have given up does not happen later, when a Redis that hung goes on.
 */
const SWAP_WITHIN_MS = 1_000;
const [read, swap] = ['stateRead', 'stateSwap'].map((name) =>
  readFileSync(new URL(`../src/lua/${name}.lua`, import.meta.url), 'utf8'),
) as [string, string];

/** One small key, changed by comparing and swapping: alerts are rare, and their rules are easier to read in TypeScript. */
export class RedisStore implements AlertStore {
  /** @param key where the state is kept. */
  constructor(
    private readonly redis: Redis | Cluster,
    private readonly key: string,
  ) {}

  /** @param signal aborted by a caller who waits no longer: nothing is changed after that. */
  async update<T>(change: (state: AlertState) => T, signal?: AbortSignal): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Processes that have met must not meet again.
      if (attempt > 0) await sleep(Math.random() * 5 * attempt);
      const reply = await this.redis.eval(read, 1, this.key);
      const [version, json, now] = reply as [string | null, string | null, number];
      const state = json ? (JSON.parse(json) as AlertState) : emptyState();
      signal?.throwIfAborted();
      const result = change(state);
      const after = JSON.stringify(state);
      if (after === json) return result;
      const deadline = now + SWAP_WITHIN_MS;
      const verdict = await this.redis.eval(
        swap,
        1,
        this.key,
        version ?? 0,
        after,
        TIME_TO_LIVE_MS,
        deadline,
      );
      // Too late, or somebody else was quicker: nothing has changed, so it is done again for who still waits.
      if (verdict === 1) return result;
    }
    throw new Error(`The state of the alerts was changed by others ${ATTEMPTS} times in a row.`);
  }
}
