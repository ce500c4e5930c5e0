/**
 * Before the first test: compiled code, because process tests start it, and a Redis for the whole test run, unless one is
 * named (`npm test` names its own). Every test has a key prefix of its own on it.
 */
import { prepare } from '../../scripts/bootstrap/prepare.mjs';
import { startTemporaryRedis } from '../../scripts/bootstrap/redis.mjs';

export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  await prepare();
  if (process.env.REDIS_URL) return undefined;
  const redis = await startTemporaryRedis('vitest');
  process.env.REDIS_URL = redis.url;
  return () => redis.stop();
}
