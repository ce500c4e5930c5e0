/**
 * Before the first test: compiled code, because process tests start it; a folder for what tests write, gone after the last;
 * and a Redis for the whole test run, unless one is named (`npm test` names its own), with a key prefix of its own for every
 * test. TEST_REDIS=cluster: a Redis Cluster instead, whatever is named.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from '../../scripts/bootstrap/prepare.mjs';
import { startTemporaryRedis } from '../../scripts/bootstrap/redis.mjs';
import { startTemporaryCluster } from '../../scripts/bootstrap/redisCluster.mjs';

export default async function setup(): Promise<() => Promise<void>> {
  await prepare();
  const redis = await openRedis();
  if (redis) process.env.REDIS_URL = redis.url;
  const dir = mkdtempSync(join(tmpdir(), 'sendonce-tests-'));
  // What `tmpdir()` answers, here and in every process that a test starts.
  process.env.TMPDIR = dir;
  return async () => {
    await redis?.stop();
    // A browser that was killed may still be writing.
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  };
}

async function openRedis(): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  if (process.env.TEST_REDIS === 'cluster') return startTemporaryCluster('vitest-cluster');
  return process.env.REDIS_URL ? undefined : startTemporaryRedis('vitest');
}
