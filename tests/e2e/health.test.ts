/** Readiness of the real processes, while Redis goes away and comes back. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCampaignDir, waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';
import { System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup() {
  const redis = await startRedis({ dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-e2e-')), 'redis') });
  cleanups.push(() => redis.stop());
  const system = await System.start({ campaignsDir: makeCampaignDir({}), redisUrl: redis.url });
  cleanups.push(() => system.stop());
  const [worker, scheduler, dashboard] = await Promise.all([
    system.spawnWatched('worker'),
    system.spawnWatched('scheduler'),
    system.spawnWatched('dashboard'),
  ]);
  return { redis, system, health: [worker, scheduler, dashboard].map((process) => process.health) };
}

interface Report {
  status: number;
  ready: boolean;
  checks: Record<string, { ok: boolean; detail: string }>;
}

async function readyz(url: string): Promise<Report> {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, ...((await response.json()) as Omit<Report, 'status'>) };
}

it('each process is ready by its checks, not without Redis, and again when it is back', async () => {
  const { redis, system, health } = await setup();
  const names = (await Promise.all(health.map(readyz))).map(({ checks }) => Object.keys(checks));
  expect(names).toEqual([
    ['redis', 'durability', 'clocks', 'continuity', 'consumers'],
    ['redis', 'durability', 'clocks', 'campaigns'],
    ['redis'],
  ]);
  await redis.kill('SIGKILL');
  for (const url of health) {
    const report = await waitFor('not to be ready', async () => {
      const now = await readyz(url);
      return now.ready ? undefined : now;
    });
    expect(report).toMatchObject({ status: 503, checks: { redis: { ok: false } } });
    // Alive is another thing than ready, and to be watched is yet another one.
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain('\nsendonce_redis_up 0\n');
    expect(metrics).toContain('\nsendonce_ready 0\n');
    expect(metrics).not.toContain('\nsendonce_queue_jobs{');
  }
  const brief = await fetch(`${system.publicUrl}/readyz`);
  expect(brief.status).toBe(503);
  expect(await brief.json()).toEqual({ ready: false });
  await redis.start();
  for (const url of health) await waitFor('to be ready', async () => (await readyz(url)).ready);
});
