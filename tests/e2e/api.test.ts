/** The API as programs meet it: dashboards that are killed, several of them, and the manual's examples. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { runIdOf } from '@sendonce/shared/run';
import { API_SCOPES, makeApiKey } from '@sendonce/shared/runtime';
import { findKeys, MESSAGE_YAML, makeCampaignDir, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/bootstrap/redis.mjs';
import { everyone, System } from './system.js';
import { openDeadlyWire } from './wire.js';

const run = promisify(execFile);
const { key, entry } = makeApiKey('shop', API_SCOPES);
let system: System;
beforeAll(async () => {
  system = await System.start({
    campaignsDir: makeCampaignDir({}, { id: 'monthly-reminder' }, { id: 'receipt', yaml: MESSAGE_YAML }),
    env: { API_KEYS: entry },
  });
  await system.startDashboardPorts();
});
afterAll(() => system.stop());

async function startDashboard(env: Record<string, string> = {}) {
  const [port, publicPort] = await Promise.all([freePort(), freePort()]);
  const ports = { DASHBOARD_PORT: String(port), PUBLIC_PORT: String(publicPort) };
  const process = system.spawn('dashboard', { ...ports, ...env });
  const url = `http://127.0.0.1:${port}`;
  await waitFor('the dashboard', () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return { process, url };
}

function start(url: string, idempotencyKey: string, campaign = 'news'): Promise<Response> {
  return fetch(`${url}/api/v1/campaigns/${campaign}/runs`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'idempotency-key': idempotencyKey },
  });
}

/** 50 at once, by turns to each of the dashboards. */
async function startMany(urls: readonly string[], idempotencyKey: string) {
  const responses = await Promise.all(
    Array.from({ length: 50 }, (_, index) => start(urls[index % urls.length] ?? '', idempotencyKey)),
  );
  const bodies = (await Promise.all(responses.map((response) => response.json()))) as { run: string }[];
  return {
    statuses: responses.map(({ status }) => status),
    runs: [...new Set(bodies.map((body) => body.run))],
  };
}

const freezingJobs = async (id: string) =>
  (await system.queues.runs.getJobs()).filter(({ data }) => 'run' in data && data.run === id);

describe('the examples of docs/api.md', () => {
  it('work, and are answered with what stands there', async () => {
    const manual = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
    const blocks = [...manual.matchAll(/```(sh|json)\n([\s\S]+?)```/g)].map(([, kind, text = '']) => ({
      kind,
      text,
    }));
    const env: Record<string, string> = {
      PATH: process.env.PATH ?? '',
      SENDONCE: `${system.dashboardUrl}/api/v1`,
      KEY: key,
    };
    let ran = 0;
    for (const [index, { kind, text }] of blocks.entries()) {
      if (kind !== 'sh' || !text.startsWith('curl')) continue;
      const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', text], { env });
      ran += 1;
      const isProblem = stdout.includes('/api/v1/docs#');
      expect(isProblem, `${text}\n${stdout}`).toBe(text.includes('20200101'));
      const shown = blocks[index + 1];
      if (shown?.kind !== 'json') continue;
      const [answer, expected] = [stdout, shown.text].map(
        (json) => JSON.parse(json) as Record<string, unknown>,
      );
      expect(Object.keys(answer ?? {}).sort(), text).toEqual(Object.keys(expected ?? {}).sort());
      if (typeof answer?.run === 'string') env.RUN ??= answer.run;
      if (isProblem) expect(answer).toEqual(expected);
    }
    expect(ran).toBeGreaterThan(8);
    expect(await system.runs.get(env.RUN ?? '')).toMatchObject({ status: 'cancelled' });
  });
});

describe('the wall of the API', () => {
  it("lets no operator's session in, and shows its page to anybody without letting it load anything", async () => {
    const api = `${system.dashboardUrl}/api/v1`;
    const headers = { cookie: await system.cookie() };
    expect((await fetch(`${api}/runs`, { headers })).status).toBe(401);
    expect((await fetch(system.dashboardUrl, { headers: { authorization: `Bearer ${key}` } })).url).toContain(
      '/login',
    );
    const runs = await fetch(`${api}/runs`, { headers: { authorization: `Bearer ${key}` } });
    expect(runs.status).toBe(200);
    expect(runs.headers.get('cache-control')).toBe('no-store');
    expect(runs.headers.getSetCookie()).toEqual([]);
    const page = await fetch(`${api}/docs`);
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|script-src/);
  });
});

describe('a request to start a run', () => {
  it('is one run with one job, when 50 come at once to two dashboards', async () => {
    const second = await startDashboard();
    const { statuses, runs } = await startMany([system.dashboardUrl, second.url], 'at once');
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(49);
    expect(runs).toHaveLength(1);
    expect(await freezingJobs(runs[0] ?? '')).toHaveLength(1);
    await system.kill(second.process);
  });

  it.each([
    ['after its key is stored and before the run is created', ':snapshot', false],
    ['after that, before its job is on the queue', 'freeze', true],
  ])(
    'is one run when the dashboard is killed %s, and everybody gets one mail',
    async (moment, text, isCreated) => {
      const wire = await openDeadlyWire(system.env.REDIS_URL ?? '');
      const dying = await startDashboard({ REDIS_URL: wire.url });
      const second = await startDashboard();
      const known = new Set(await reservations());
      const died = once(dying.process, 'exit');
      wire.arm(text, dying.process);
      await expect(start(dying.url, moment)).rejects.toThrow();
      expect(await died).toEqual([null, 'SIGKILL']);
      const [reserved = ''] = (await reservations()).filter((request) => !known.has(request));
      const scheduledAt = new Date(Number(await system.redis.hget(reserved, 'scheduled_at')));
      const id = runIdOf('news', scheduledAt);
      expect((await system.runs.find(id)) !== undefined).toBe(isCreated);
      expect(await freezingJobs(id)).toHaveLength(0);

      const { statuses, runs } = await startMany([system.dashboardUrl, second.url], moment);
      expect(statuses.filter((status) => status === 201)).toHaveLength(isCreated ? 0 : 1);
      expect(statuses.every((status) => status === 200 || status === 201)).toBe(true);
      expect(runs).toEqual([id]);
      expect(await freezingJobs(id)).toHaveLength(1);
      const worker = system.spawn('worker');
      await system.whenFinished(id);
      expect((await startMany([second.url], moment)).runs).toEqual([id]);
      expect(await system.inbox(id)).toEqual(everyone(3));
      await Promise.all([system.kill(worker), system.kill(second.process)]);
      wire.stop();
    },
  );
});

const reservations = () => findKeys(system.redis, `${system.prefix}:1:{request/*`);
