/**
 * What keeps data in Redis, on a Redis Cluster: the suites that lie beside the sources, as they are. All of them, and those of
 * the apps: `TEST_REDIS=cluster npm test -- packages apps`.
 */
import { afterAll, describe } from 'vitest';
import { startTemporaryCluster } from '../../scripts/bootstrap/redisCluster.mjs';

const SUITES = [
  'apps/scheduler/src/scheduleSync',
  'apps/worker/src/reconcile',
  'packages/shared/src/audit/auditTrail',
  'packages/shared/src/continuity/continuity',
  'packages/shared/src/control/runRequests',
  'packages/shared/src/ledger/ledger',
  'packages/shared/src/links/clicks',
  'packages/shared/src/run/freeze',
  'packages/shared/src/run/runs',
  'packages/shared/src/suppression/lateSuppressions',
  'packages/shared/src/suppression/suppressionList',
];

const single = process.env.REDIS_URL;
const cluster = await startTemporaryCluster('suites');
process.env.REDIS_URL = cluster.url;

afterAll(async () => {
  process.env.REDIS_URL = single;
  await cluster.stop();
});

for (const suite of SUITES)
  describe(suite, async () => {
    await import(new URL(`../../${suite}.test.ts`, import.meta.url).href);
  });
