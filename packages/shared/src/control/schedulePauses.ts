/**
 * Schedules that an operator has paused: no occurrence fires until somebody lets it go on, and those of the time between are
 * left out. Runs by hand, and runs that have begun, are not touched. The campaign's files stay as they are.
 */
import type { Queues } from '../queue/index.js';
import type { RedisConnection } from '../runtime/index.js';

export interface SchedulePause {
  at: Date;
  /** Who paused it. */
  by: string;
}

export class SchedulePauses {
  readonly #redis: RedisConnection;
  readonly #key: string;

  constructor({ redis, prefix }: { redis: RedisConnection; prefix: string }) {
    this.#redis = redis;
    this.#key = `${prefix}:1:paused-schedules`;
  }

  /** By campaign. */
  async all(): Promise<Map<string, SchedulePause>> {
    const paused = await this.#redis.hgetall(this.#key);
    return new Map(
      Object.entries(paused).map(([campaign, json]) => {
        const { at, by } = JSON.parse(json) as { at: number; by: string };
        return [campaign, { at: new Date(at), by }];
      }),
    );
  }

  /** Takes its scheduler off at once; the scheduler process does the same at its next look, should this one die between. */
  async pause(queues: Queues, campaign: string, { at, by }: SchedulePause): Promise<void> {
    await this.#redis.hset(this.#key, campaign, JSON.stringify({ at: at.getTime(), by }));
    await queues.runs.removeJobScheduler(campaign);
  }

  /** The scheduler process puts it on again at its next look, within a minute. False: it was not paused. */
  async resume(campaign: string): Promise<boolean> {
    return (await this.#redis.hdel(this.#key, campaign)) === 1;
  }
}
