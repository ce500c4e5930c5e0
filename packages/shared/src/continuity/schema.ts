/**
 * The form of the data in Redis has a number. A version that finds older data brings them up to its own; one that finds newer
 * data does not touch them. Beside this, the `1` in the names of keys is for a change so great that nothing can be kept.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisConnection, UsageError } from '../runtime/index.js';
import { continuityKey } from './continuityKey.js';

interface Migration {
  /** The number that the data have afterwards; one more than before. */
  to: number;
  about: string;
  /** May be broken off and repeated: a process that dies in it is followed by another. */
  run(redis: RedisConnection, prefix: string): Promise<void>;
}

/** What this version makes of older data, in order. The first form is 1. */
const MIGRATIONS: readonly Migration[] = [];

/** Of this version. */
export const SCHEMA = 1 + MIGRATIONS.length;

const LOCK_MS = 60_000;
const WAIT_MS = 500;

/**
 * Sees to it that the data have the form that this version knows; waits while another process does.
 * @throws {UsageError} when they are of a newer version.
 */
export async function bringUpToDate(
  { redis, prefix }: { redis: RedisConnection; prefix: string },
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<void> {
  const key = continuityKey(prefix);
  const ours = 1 + migrations.length;
  const me = randomUUID();
  for (;;) {
    await redis.hsetnx(key, 'schema', (await isEmpty(redis, prefix)) ? ours : 1);
    const theirs = Number(await redis.hget(key, 'schema'));
    if (theirs === ours) return;
    if (theirs > ours)
      throw new UsageError(
        `The data in Redis are of schema ${theirs}, and this version knows ${ours}: a newer version has worked on them. Start that one, or restore a backup from before (docs/operations.md).`,
      );
    const lock = `${key}:migrating`;
    if (await redis.set(lock, me, 'PX', LOCK_MS, 'NX')) {
      const next = migrations.find(({ to }) => to === theirs + 1);
      await next?.run(redis, prefix);
      await redis.hset(key, 'schema', theirs + 1);
      await redis.del(lock);
    } else await sleep(WAIT_MS);
  }
}

/** No run has ever been created: there is nothing of an older form. */
async function isEmpty(redis: RedisConnection, prefix: string): Promise<boolean> {
  return (await redis.exists(`${prefix}:1:runs`)) === 0;
}
