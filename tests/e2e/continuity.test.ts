/** Redis's data go back in time, in all the ways there are, and nobody gets a mail twice. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pauseRun, resumeRun } from '@sendonce/shared/control';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type EmbeddedRedis, startRedis } from '../../scripts/bootstrap/redis.mjs';
import { everyone, System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Longer than two marks. */
const MARKS_MS = 5_000;

async function setup(count: number, { settings = '', ratePerSecond = 500 } = {}) {
  const redis = await startRedis({ dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-e2e-')), 'redis') });
  cleanups.push(() => redis.stop());
  const system = await System.start({
    campaignsDir: makeCampaignDir({ csv: makeCsv(count), settings }),
    redisUrl: redis.url,
    env: { SES_MAX_RATE: String(ratePerSecond) },
  });
  cleanups.push(() => system.stop());
  return { redis, system };
}

/** As somebody does who copies the folder of a server that is stopped. */
async function backUp(redis: EmbeddedRedis): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'sendonce-backup-'));
  await redis.kill();
  cpSync(redis.dir, copy, { recursive: true });
  await redis.start();
  return copy;
}

async function restore(redis: EmbeddedRedis, copy: string | undefined): Promise<void> {
  await redis.kill();
  for (const file of readdirSync(redis.dir)) rmSync(join(redis.dir, file), { recursive: true });
  if (copy) cpSync(copy, redis.dir, { recursive: true });
  await redis.start();
}

const isHeld = (system: System) =>
  waitFor('everything to be held', async () => (await system.sendonce('hold')).code === 1);

describe("yesterday's data", () => {
  it('are held after a restore, and with skip nobody hears of it again', async () => {
    const { redis, system } = await setup(300);
    const worker = system.spawn('worker');
    const run = await system.startRun();
    // A backup in the middle of a run, which then goes to its end.
    await system.whenSent(run, 50);
    const copy = await backUp(redis);
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(300));
    await sleep(MARKS_MS);
    await system.kill(worker, 'SIGTERM');
    await restore(redis, copy);
    const { child, health } = await startHeld(system);
    expect((await system.sendonce('hold')).out).toContain('the data in Redis are older');
    expect((await system.sendonce('doctor')).out).toContain('✗ Data: everything is held');
    expect(await (await fetch(`${health}/readyz`)).text()).toContain('everything is held');
    await sleep(3_000);
    expect(await system.inbox(run)).toEqual(everyone(300));
    const { out } = await system.sendonce('hold', '--release', 'skip');
    expect(out).toContain(`${run} is cancelled.`);
    await waitFor('the worker to go on', async () => (await fetch(`${health}/readyz`)).status === 200);
    await sleep(2_000);
    expect(await system.inbox(run)).toEqual(everyone(300));
    // The next run is as any other.
    const next = await system.startRun();
    await system.whenFinished(next);
    expect(await system.inbox(next)).toEqual(everyone(300));
    await system.kill(child, 'SIGTERM');
    await system.spawnWatched('worker');
    expect((await system.sendonce('hold')).out).toContain('Nothing is held.');
  });

  it('under a worker that is sending are held before anybody is sent anything twice', async () => {
    const { redis, system } = await setup(3_000);
    system.spawn('worker');
    const run = await system.startRun();
    await system.whenSent(run, 200);
    const copy = await backUp(redis);
    await system.whenSent(run, 1_200);
    await restore(redis, copy);
    await isHeld(system);
    await sleep(3_000);
    const { duplicates } = await system.inbox(run);
    expect(duplicates).toBe(0);
    await system.sendonce('hold', '--release', 'skip');
    await sleep(3_000);
    expect((await system.inbox(run)).duplicates).toBe(0);
    expect((await system.runs.get(run)).cancelledAt).toBeDefined();
  });

  it('of one chunk are held by the worker that has claimed from it, also when its job comes anew', async () => {
    const { system } = await setup(500, { ratePerSecond: 50 });
    system.spawn('worker');
    const run = await system.startRun();
    const pausedAfter = async (sent: number) => {
      await system.whenSent(run, sent);
      await pauseRun(system, run, 'to look at it');
      await system.whenPaused(run);
    };
    const parts = ['states', 'version', 'claims', 'journal'].map(
      (part) => `${system.prefix}:1:{${run}/0}:${part}`,
    );
    await pausedAfter(50);
    const before = await Promise.all(parts.map((key) => system.redis.dumpBuffer(key)));
    await resumeRun(system, run);
    await pausedAfter(150);
    await Promise.all(
      parts.map((key, index) => {
        const content = before[index];
        return content ? system.redis.restore(key, 0, content, 'REPLACE') : system.redis.del(key);
      }),
    );
    await resumeRun(system, run);
    await isHeld(system);
    expect((await system.inbox(run)).duplicates).toBe(0);
  });

  it('that an operator knows to be right go on as they are', async () => {
    const { redis, system } = await setup(20);
    const worker = system.spawn('worker');
    const run = await system.startRun();
    await system.sendonce('pause', run);
    const copy = await backUp(redis);
    await sleep(MARKS_MS);
    await system.kill(worker, 'SIGTERM');
    await restore(redis, copy);
    await startHeld(system);
    await system.sendonce('hold', '--release', 'as-is');
    await system.sendonce('resume', run);
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(20));
  });
});

async function startHeld(system: System) {
  const { freePort } = await import('../../scripts/bootstrap/redis.mjs');
  const port = await freePort();
  const child = system.spawn('worker', { WORKER_HEALTH_PORT: String(port) });
  await isHeld(system);
  return { child, health: `http://127.0.0.1:${port}` };
}

it('an occurrence that was sent is not sent again from an empty Redis', async () => {
  const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 4_000);
  const { redis, system } = await setup(30, { settings: `schedule: { at: "${at.toISOString()}" }\n` });
  const worker = system.spawn('worker');
  const scheduler = system.spawn('scheduler');
  const run = `news--${at.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  await system.whenFinished(run);
  await sleep(MARKS_MS);
  await system.kill(worker, 'SIGTERM');
  await system.kill(scheduler, 'SIGTERM');
  await restore(redis, undefined);
  await startHeld(system);
  system.spawn('scheduler');
  expect((await system.sendonce('hold')).out).toContain('Redis is empty, and was not');
  await sleep(3_000);
  await system.sendonce('hold', '--release', 'skip');
  await sleep(4_000);
  expect(await system.inbox(run)).toEqual(everyone(30));
});

it('what happens every day holds nothing: starts, kills, a Redis that restarts, a new machine', async () => {
  const { redis, system } = await setup(400);
  const workers = [system.spawn('worker'), system.spawn('worker')];
  const run = await system.startRun();
  await system.whenSent(run, 60);
  await redis.kill('SIGKILL');
  await redis.start();
  await system.whenSent(run, 120);
  await redis.restart();
  for (const worker of workers) await system.kill(worker);
  system.spawn('worker', { STATE_DIR: mkdtempSync(join(tmpdir(), 'sendonce-state-')) });
  system.spawn('worker');
  system.spawn('scheduler');
  await waitFor(
    'the end',
    async () => {
      const { numbers } = await system.runs.get(run);
      return numbers.queued + numbers.claimed === 0;
    },
    60_000,
  );
  await sleep(MARKS_MS);
  expect((await system.sendonce('hold')).out).toContain('Nothing is held.');
  expect((await system.inbox(run)).duplicates).toBe(0);
});
