import { randomUUID } from 'node:crypto';
import { closeRedis, connectRedis, makeLogger, type RedisConnection } from '../runtime/index.js';

export interface TestRedis {
  redis: RedisConnection;
  url: string;
  /** Nobody else's. */
  prefix: string;
  close(): Promise<void>;
}

/** The server of the test run (REDIS_URL), with a prefix of its own; what was written under it goes with `close`. */
export async function openTestRedis(): Promise<TestRedis> {
  const url = process.env.REDIS_URL;
  if (!url) throw new Error('REDIS_URL is not set: run the tests with `npm test` or `npx vitest`.');
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const redis = connectRedis({ url, name: 'test', logger: makeLogger('test', 'silent') });
  const close = async (): Promise<void> => {
    const keys = [...(await redis.keys(`${prefix}:*`)), ...(await redis.keys(`{${prefix}}*`))];
    if (keys.length > 0) await redis.unlink(...keys);
    await closeRedis(redis);
  };
  return { redis, url, prefix, close };
}
