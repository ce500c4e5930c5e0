/** Where the state of the alerts lives: in Redis for all processes together, or in a process that is on its own. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { type AlertState, type Counted, emptyState, untold } from './rules.js';

export interface AlertStore {
  /** Applies a change to the state; the change may be applied several times to newer states before one counts. */
  update<T>(change: (state: AlertState) => T): Promise<T>;
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
const swap = readFileSync(new URL('../src/lua/stateSwap.lua', import.meta.url), 'utf8');

/** One small key, changed by comparing and swapping: alerts are rare, and their rules are easier to read in TypeScript. */
export class RedisStore implements AlertStore {
  /** @param key where the state is kept. */
  constructor(
    private readonly redis: Redis | Cluster,
    private readonly key: string,
  ) {}

  async update<T>(change: (state: AlertState) => T): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // Processes that have met must not meet again.
      if (attempt > 0) await sleep(Math.random() * 5 * attempt);
      const [version, json] = await this.redis.hmget(this.key, 'version', 'json');
      const state = json ? (JSON.parse(json) as AlertState) : emptyState();
      const result = change(state);
      const after = JSON.stringify(state);
      if (after === json) return result;
      const isInPlace = await this.redis.eval(swap, 1, this.key, version ?? 0, after, TIME_TO_LIVE_MS);
      if (isInPlace === 1) return result;
    }
    throw new Error(`The state of the alerts was changed by others ${ATTEMPTS} times in a row.`);
  }
}
