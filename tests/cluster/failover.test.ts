/**
 * A master of a Redis Cluster is lost in the middle of a run, and its replica takes over. What that costs depends on what the
 * replica had got: here it is cut off before, so that it lacks what the master has answered to.
 */
import type { ChildProcess } from 'node:child_process';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RedisCluster, startTemporaryCluster } from '../../scripts/bootstrap/redisCluster.mjs';
import { everyone, System } from '../e2e/system.js';

const RECIPIENTS = 2_000;
/**
 * Of this run the third chunk lies on a node that holds nothing else that matters: neither the other chunks nor the run, its
 * queue, the events or the mark of continuity. So a node goes back in time and the rest does not, which is the worst.
 */
const AT = new Date('2026-11-24T10:00:00Z');
const CHUNK = 2;
const PREFIXES = ['c1', 'c5', 'c8'];

let cluster: RedisCluster;
let count = 0;
const cleanups: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  cluster = await startTemporaryCluster('cluster-failover', { replicas: 1, nodeTimeoutMs: 2_000 });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(() => cluster?.stop());

async function setup(env: Record<string, string> = {}) {
  const campaignsDir = makeCampaignDir({ csv: makeCsv(RECIPIENTS), settings: 'in_doubt: resend\n' });
  const system = await System.start({
    campaignsDir,
    redisUrl: cluster.url,
    prefix: PREFIXES[count++] ?? '',
    // A run that Redis has paused is tried again as often as the account is looked at.
    env: { SES_MAX_RATE: '200', SES_ACCOUNT_REFRESH_SECONDS: '1', ...env },
  });
  cleanups.push(() => system.stop());
  await system.startDashboard();
  const worker = system.spawn('worker');
  const run = await system.startRun('news', AT);
  const master = await cluster.masterOf(`${system.prefix}:1:{${run}/${CHUNK}}:states`);
  const sentOfChunk = async () =>
    Object.keys(await system.positions(run)).filter((place) => place.startsWith(`${CHUNK}/`)).length;
  return { master, run, sentOfChunk, system, worker };
}

describe('a master that is lost in the middle of a run', () => {
  it('costs nobody a mail and sends nobody a second one', async () => {
    const { run, system } = await setup();
    await system.whenSent(run, 300);
    // The one with the queues, and a third of the chunks.
    await cluster.failOver(await cluster.masterOf(`{${system.prefix}}:sends:meta`));
    const { numbers } = await system.whenFinished(run);
    expect(numbers).toMatchObject({ sent: RECIPIENTS, in_doubt: 0 });
    expect(await system.inbox(run)).toEqual(everyone(RECIPIENTS));
    expect((await system.sendonce('hold')).out).toContain('Nothing is held.');
  });
});

describe('a master that is lost while its replica lags behind', () => {
  it('has had nothing claimed that the replica has not got, and everybody is served once', async () => {
    const { master, run, sentOfChunk, system, worker } = await setup();
    const replica = await cluster.replicaOf(master);
    await waitFor('the chunk', async () => (await sentOfChunk()) > 0);
    await cluster.cutOff(replica);
    const { pauseReason } = await waitFor('the pause', async () => {
      const record = await system.runs.get(run);
      return record.status === 'paused' && record;
    });
    expect(pauseReason).toContain('0 of 1 replicas of Redis have confirmed a write');
    const before = await sentOfChunk();
    await system.kill(worker);
    await cluster.failOver(master);
    expect(await sentOfChunk()).toBe(before);
    system.spawn('worker');
    const { numbers } = await system.whenFinished(run);
    expect(numbers).toMatchObject({ sent: RECIPIENTS, in_doubt: 0 });
    expect(await system.inbox(run)).toEqual(everyone(RECIPIENTS));
    expect((await system.sendonce('hold')).out).toContain('Nothing is held.');
  });
});

describe('with REDIS_MIN_REPLICAS=0, a master that is lost while its replica lags behind', () => {
  // Whether the worker that saw newer data notices is a race with events, which change the chunk too. See continuity.test.ts.
  it('sends second mails when that worker is lost with it, as doctor and the worker have warned', async () => {
    const { master, run, sentOfChunk, system, worker } = await setup({ REDIS_MIN_REPLICAS: '0' });
    const replica = await cluster.replicaOf(master);
    await waitFor('the chunk', async () => (await sentOfChunk()) > 0);
    await cluster.cutOff(replica);
    const before = await sentOfChunk();
    await waitFor(
      'mails that the replica does not know of',
      async () => (await sentOfChunk()) > before + 100,
    );
    expect((await system.sendonce('doctor')).out).toContain('! Redis durability');
    await system.kill(worker);
    await cluster.failOver(master);
    const next: ChildProcess = system.spawn('worker');
    // Its job is still the dead worker's for some seconds.
    await system.queues.sends.add('send', { run, chunk: CHUNK, chunks: 4 }, { jobId: 'again' });
    await waitFor('a second mail', async () => (await system.inbox(run)).duplicates > 0);
    await system.kill(next);
  });
});
