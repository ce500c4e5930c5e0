/** What administrators hear of a real installation on which something goes wrong, and what they never hear. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';
import { System } from './system.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const SECRET = 'Zx8-planted-secret';
const ADMINS = {
  ADMINS: 'Ops <ops@example.com>, second@example.com',
  SERVER_EMAIL: 'Sendonce <server@example.com>',
  PLANTED_SECRET: SECRET,
};

async function setup({ redisUrl, env = {} }: { redisUrl?: string; env?: Record<string, string> } = {}) {
  const system = await System.start({
    campaignsDir: makeCampaignDir({ csv: makeCsv(50) }),
    env: { ...ADMINS, ...env },
    ...(redisUrl && { redisUrl }),
  });
  cleanups.push(() => system.stop());
  const mails = async () =>
    (await (await fetch(`${system.sesUrl}/messages?to=ops@example.com&limit=100`)).json()) as {
      subject: string;
      text: string;
    }[];
  const mailAbout = (subject: RegExp) =>
    waitFor(
      `a mail about ${subject}`,
      async () => (await mails()).find((mail) => subject.test(mail.subject)),
      60_000,
    );
  return { system, mails, mailAbout };
}

describe('administrators', () => {
  it('are told of a run that pauses, with the page that helps, and when it is over', async () => {
    const { system, mailAbout, mails } = await setup();
    system.spawn('worker');
    system.spawn('scheduler');
    await system.setFaults({ rules: [{ fault: 'sending-paused', recipients: ['reader*'] }] });
    const run = await system.startRun();
    const paused = await mailAbout(/paused/);
    expect(paused.subject).toMatch(new RegExp(`^\\[Sendonce\\] ${run} is paused: `));
    expect(paused.text).toContain(`${system.dashboardUrl}/runs/${run}`);
    await system.setFaults({ rules: [] });
    await system.sendonce('resume', run);
    await system.whenFinished(run);
    const over = await mailAbout(/Resolved after/);
    expect(over.subject).toMatch(new RegExp(`Resolved after \\d+ s: ${run} is paused`));
    expect((await mails()).filter(({ subject }) => subject.includes(run))).toHaveLength(2);
  });

  it('are told of a failed job by its ids, and never of the secret and the address in it', async () => {
    const { system, mailAbout, mails } = await setup();
    const { health } = await system.spawnWatched('worker');
    const data = { run: 'x', apiToken: SECRET, note: `${SECRET} of reader7@example.com` };
    await system.queues.runs.add(`unknown reader7@example.com ${SECRET}` as never, data as never, {
      jobId: 'planted-job',
    });
    const { text } = await mailAbout(/job failed/);
    for (const part of [
      'job: planted-job',
      'queue: runs',
      'worker, host',
      'There is no job "unknown <address> *',
      '/runs/x',
    ])
      expect(text).toContain(part);
    const metrics = await (await fetch(`${health}/metrics`)).text();
    expect(metrics).toMatch(/sendonce_alerts_total\{channel="ses",outcome="sent"\} 1\n/);
    const dashboard = await system.startDashboardPorts();
    const cookie = await system.cookie();
    const board = await fetch(`${system.dashboardUrl}/queues/api/queues/runs/planted-job`, {
      headers: { cookie },
    });
    const shown = await board.text();
    expect(shown).toContain('"note"');
    for (const said of [JSON.stringify(await mails()), metrics, shown])
      expect(said).not.toMatch(/Zx8|reader7@/);
    expect(dashboard.exitCode).toBeNull();
  });

  it('are told of requests that fail while Redis is away', async () => {
    const redis = await startRedis({ dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-e2e-')), 'redis') });
    cleanups.push(() => redis.stop());
    const { system, mailAbout } = await setup({ redisUrl: redis.url });
    await system.startDashboardPorts();
    const cookie = await system.cookie();
    await redis.kill();
    const answer = await fetch(`${system.dashboardUrl}/runs`, { headers: { cookie } });
    expect(answer.status).toBe(503);
    const { text } = await mailAbout(/request failed/);
    for (const part of [
      'method: GET',
      'path: /runs',
      'status: 503',
      `request: ${answer.headers.get('x-request-id')}`,
    ])
      expect(text).toContain(part);
  });

  it('are told that no worker is there while work waits', async () => {
    const { system, mailAbout } = await setup();
    const worker = system.spawn('worker');
    system.spawn('scheduler');
    await system.setFaults({ rules: [{ fault: 'throttle', recipients: ['reader*'] }] });
    await system.startRun();
    await waitFor('the chunk to be sent', async () => (await system.queues.sends.getActiveCount()) > 0);
    await system.kill(worker);
    expect((await mailAbout(/No worker is running/)).text).toContain('/queues/queue/sends');
  });
});

describe('test-alert', () => {
  it('sends one by every way, and says which way did not take it', async () => {
    const { system, mails } = await setup({ env: { ALERT_WEBHOOK_URL: 'http://127.0.0.1:1/hook' } });
    const { code, out } = await system.sendonce('test-alert');
    expect(out).toContain('✓ Amazon SES took it');
    expect(out).toContain('✗ ALERT_WEBHOOK_URL: TypeError: fetch failed');
    expect(code).toBe(1);
    expect((await mails()).map(({ subject }) => subject)).toEqual(['[Sendonce] A test: alerts arrive']);
    const none = await system.sendonceWith(
      { ADMINS: '', SERVER_EMAIL: '', ALERT_WEBHOOK_URL: '' },
      'test-alert',
    );
    expect(none).toMatchObject({ code: 2, err: expect.stringContaining('Nobody would be told') });
  });
});
