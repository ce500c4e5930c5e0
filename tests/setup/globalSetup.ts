/** Brings a Redis for the whole test run, unless one is named. Every test has a key prefix of its own on it. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';

export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.REDIS_URL) return undefined;
  const dataDir = join(
    fileURLToPath(new URL('../..', import.meta.url)),
    '.data',
    `vitest-${process.pid}`,
    'redis',
  );
  const redis = await startRedis({ dataDir });
  process.env.REDIS_URL = redis.url;
  return () => redis.stop();
}
