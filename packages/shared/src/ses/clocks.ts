/**
 * The clocks that the fence stands on: claims carry Redis's time, SES compares it with its own. They must agree within a
 * minute, or requests are refused, or accepted for longer than we think.
 */
import { type Clock, messageOf, type RedisConnection, UsageError } from '../runtime/index.js';
import type { SesClient } from './client.js';

const MAX_CLOCK_SKEW_MS = 60_000;

export interface ClockSkew {
  /** How far Redis's clock is ahead of ours, ms. */
  redisMs: number;
  /** How far SES's clock is ahead of ours, ms; undefined when SES could not be asked. */
  sesMs?: number;
  /** Why SES could not be asked. */
  reason?: string;
}

export async function readClockSkew({
  redis,
  ses,
  clock,
}: {
  redis: RedisConnection;
  ses: SesClient;
  clock: Clock;
}): Promise<ClockSkew> {
  const redisMs = await readRedisSkewMs({ redis, clock });
  try {
    const sesTime = await ses.time();
    return { redisMs, sesMs: sesTime - clock.now() };
  } catch (error) {
    return { redisMs, reason: messageOf(error) };
  }
}

/** How far Redis's clock is ahead of ours, ms. */
export async function readRedisSkewMs({
  redis,
  clock,
}: {
  redis: RedisConnection;
  clock: Clock;
}): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1_000 + Number(micros) / 1_000 - clock.now();
}

/** @throws {UsageError} naming the clock that is off. A SES that can't be asked is no reason: it is asked for every mail. */
export function assertClocksAgree({ redisMs, sesMs }: ClockSkew): void {
  const seconds = (ms: number): string =>
    `${Math.abs(ms / 1_000).toFixed(0)} s ${ms > 0 ? 'ahead of' : 'behind'}`;
  if (Math.abs(redisMs) > MAX_CLOCK_SKEW_MS) {
    throw new UsageError(
      `The clock of Redis is ${seconds(redisMs)} this machine's. Set the clocks (NTP) before anything is sent.`,
    );
  }
  if (sesMs !== undefined && Math.abs(sesMs - redisMs) > MAX_CLOCK_SKEW_MS) {
    throw new UsageError(
      `SES's clock is ${seconds(sesMs - redisMs)} that of Redis, which dates the claims. Set the clocks (NTP).`,
    );
  }
}
