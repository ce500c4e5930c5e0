import { randomUUID } from 'node:crypto';
import { Cluster } from 'ioredis';
import { closeRedis, connectRedis, makeLogger, type RedisConnection } from '../runtime/index.js';

export interface TestRedis {
  redis: RedisConnection;
  url: string;
  /** Nobody else's. */
  prefix: string;
  close(): Promise<void>;
}

/** The Redis of the test run (REDIS_URL), with a prefix of its own; what was written under it goes with `close`. */
export async function openTestRedis(): Promise<TestRedis> {
  const url = process.env.REDIS_URL;
  if (!url) throw new Error('REDIS_URL is not set: run the tests with `npm test` or `npx vitest`.');
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const redis = connectRedis({ url, name: 'test', logger: makeLogger('test', 'silent') });
  const close = async (): Promise<void> => {
    await removeKeys(redis, `${prefix}:*`);
    await removeKeys(redis, `{${prefix}}*`);
    await closeRedis(redis);
  };
  return { redis, url, prefix, close };
}

/** The names of keys of this pattern, on all nodes of a cluster. */
export async function findKeys(redis: RedisConnection, pattern: string): Promise<string[]> {
  const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
  return (await Promise.all(nodes.map((node) => node.keys(pattern)))).flat();
}

export async function removeKeys(redis: RedisConnection, pattern: string): Promise<void> {
  // Not in one command: in a cluster they lie in different slots.
  await Promise.all((await findKeys(redis, pattern)).map((key) => redis.unlink(key)));
}
