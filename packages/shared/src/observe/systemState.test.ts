import { Alerts } from '@sendonce/alerts';
import { afterEach, expect, it } from 'vitest';
import { ReputationWindow } from '../events/index.js';
import { closeQueues, openQueues } from '../queue/index.js';
import { Runs } from '../run/index.js';
import { systemClock as clock, closeRedis, connectRedis, Health, makeLogger } from '../runtime/index.js';
import { makeSnapshot, openTestRedis } from '../testing/index.js';
import { ProcessMetrics } from './processMetrics.js';
import { SystemState } from './systemState.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup(url?: string) {
  const test = await openTestRedis();
  cleanups.push(test.close);
  const redis = url ? connectRedis({ url, name: 'test', logger: makeLogger('test', 'silent') }) : test.redis;
  if (url) cleanups.push(() => closeRedis(redis));
  const { prefix } = test;
  const queues = openQueues(redis, prefix);
  cleanups.push(() => closeQueues(queues));
  const runs = new Runs({ redis, prefix, clock });
  const limits = { bounceWarn: 1, bouncePause: 1, complaintWarn: 1, complaintPause: 1 };
  const reputation = new ReputationWindow({ redis, clock }, { prefix, limits });
  const scrape = async (): Promise<string[]> => {
    // Of a process that has just started, since readings are shared for some seconds.
    const metrics = new ProcessMetrics({
      alerts: new Alerts({ channels: [] }, { source: 'test' }),
      health: new Health(),
    });
    new SystemState(metrics, { prefix, queues, redis, reputation, runs });
    const text = await metrics.metrics();
    return text.split('\n').filter((line) => line.startsWith('sendonce_'));
  };
  return { redis, runs, scrape };
}

it('1,000 campaigns have as many series as one', async () => {
  const { runs, scrape } = await setup();
  const snapshot = await makeSnapshot(1);
  const at = new Date('2026-11-24T10:00:00Z');
  await runs.create({ ...snapshot, id: 'campaign-0' }, at, 'manual');
  const one = await scrape();
  for (let number = 1; number < 1_000; number++)
    await runs.create({ ...snapshot, id: `campaign-${number}` }, at, 'manual');
  await runs.pause('campaign-7--20261124T100000Z', { cause: 'quota', reason: 'the quota is used up' });
  const thousand = await scrape();
  expect(thousand).toHaveLength(one.length);
  expect(thousand.length).toBeLessThan(60);
  expect(thousand).toContain('sendonce_open_runs{status="freezing"} 999');
  expect(thousand).toContain('sendonce_paused_runs{cause="quota"} 1');
  expect(thousand.join()).not.toContain('campaign-');
});

it('what is not known has no number', async () => {
  const { redis, scrape } = await setup();
  await redis.ping();
  const lines = await scrape();
  expect(lines).toContain('sendonce_redis_up 1');
  expect(lines.filter((line) => line.startsWith('sendonce_quota'))).toEqual([]);
});

it('while Redis is away that is told, and nothing stale', async () => {
  const { scrape } = await setup('redis://127.0.0.1:1');
  // How often this process has told administrators is its own, and no state of the installation's.
  const lines = (await scrape()).filter((line) => !line.startsWith('sendonce_alerts_total'));
  expect(lines).toEqual(['sendonce_ready 0', 'sendonce_redis_up 0']);
});
