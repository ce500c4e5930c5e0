/** The main promise, with real processes and real signals: everybody once, whatever dies. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SENDS_QUEUE, sendJobId } from '@sendonce/shared/queue';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';
import { everyone, System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup(
  recipients: number,
  { redisUrl, settings = '' }: { redisUrl?: string; settings?: string } = {},
) {
  const campaignsDir = makeCampaignDir({
    csv: makeCsv(recipients),
    settings: `in_doubt: resend\n${settings}`,
  });
  const system = await System.start({ campaignsDir, ...(redisUrl && { redisUrl }) });
  cleanups.push(() => system.stop());
  return system;
}

describe('a run', () => {
  it('goes from the schedule to the inbox, once, with two schedulers and two workers', async () => {
    const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 3_000);
    const system = await setup(120, { settings: `schedule: { at: "${at.toISOString()}" }\n` });
    for (const program of ['scheduler', 'scheduler', 'worker', 'worker', 'dashboard'] as const)
      system.spawn(program);
    const run = `news--${at.toISOString().replace(/[-:]|\.\d+/g, '')}`;
    const record = await system.whenFinished(run);
    expect(record).toMatchObject({ origin: 'schedule', numbers: { audience: 120, sent: 120, in_doubt: 0 } });
    expect(await system.inbox(run)).toEqual(everyone(120));
  });

  it('serves everyone once when a worker is killed in the middle', async () => {
    const system = await setup(3_000);
    await system.startDashboard();
    const victim = system.spawn('worker', { SES_MAX_RATE: '600' });
    const run = await system.startRun();
    await system.whenSent(run, 300);
    await system.kill(victim);
    system.spawn('worker');
    const record = await system.whenFinished(run);
    expect(record.numbers).toMatchObject({ sent: 3_000, in_doubt: 0, rejected: 0 });
    expect(await system.inbox(run)).toEqual(everyone(3_000));
  });

  it('serves everyone once when Redis is killed in the middle and comes back on its data', async () => {
    const redis = await startRedis({ dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-e2e-')), 'redis') });
    cleanups.push(() => redis.stop());
    const system = await setup(3_000, { redisUrl: redis.url });
    await system.startDashboard();
    system.spawn('worker', { SES_MAX_RATE: '800' });
    system.spawn('worker', { SES_MAX_RATE: '800' });
    const run = await system.startRun();
    await system.whenSent(run, 500);
    await redis.kill('SIGKILL');
    await redis.start();
    const record = await system.whenFinished(run);
    expect(record.numbers).toMatchObject({ sent: 3_000, in_doubt: 0 });
    expect(await system.inbox(run)).toEqual(everyone(3_000));
  });

  it('that is started twice with the same time is one run', async () => {
    const system = await setup(50);
    system.spawn('worker');
    const at = new Date('2026-11-24T10:00:00Z');
    const run = await system.startRun('news', at);
    await system.whenFinished(run);
    expect(await system.startRun('news', at)).toBe(run);
    await waitFor(
      'the second job to be through',
      async () => (await system.queues.runs.getActiveCount()) === 0,
    );
    expect(await system.inbox(run)).toEqual(everyone(50));
  });

  it('that is finished sends nothing when its jobs are added again by hand, even after they were removed', async () => {
    const system = await setup(50);
    system.spawn('worker');
    const run = await system.startRun();
    await system.whenFinished(run);
    const { sends, runs } = system.queues;
    await sends.obliterate({ force: true });
    await runs.obliterate({ force: true });
    const job = await sends.add(
      'send',
      { run, chunk: 0, chunks: 1 },
      { jobId: sendJobId({ run, chunk: 0 }) },
    );
    await runs.add('freeze', { run }, { jobId: run });
    await waitFor(
      'the job to be through',
      async () => (await sends.getJob(job.id ?? ''))?.returnvalue === 'done',
    );
    await waitFor('the freezing to be through', async () => (await runs.getJob(run))?.returnvalue === 'done');
    expect(await system.inbox(run)).toEqual(everyone(50));
    expect(sends.name).toBe(SENDS_QUEUE);
  });

  it('does not notice that its campaign is edited while it is under way', async () => {
    const system = await setup(2_000);
    system.spawn('worker', { SES_MAX_RATE: '500' });
    const run = await system.startRun();
    await system.whenSent(run, 200);
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(system.campaignsDir, 'news', 'body.txt'), 'EDITED');
    await system.whenFinished(run);
    const [newest] = (await (await fetch(`${system.sesUrl}/messages?limit=1`)).json()) as { text: string }[];
    expect(newest?.text).toContain('news.');
  });

  it('stops for SIGTERM without leaving anybody in doubt, and another worker goes on', async () => {
    const system = await setup(2_000);
    const first = system.spawn('worker', { SES_MAX_RATE: '500' });
    const run = await system.startRun();
    await system.whenSent(run, 300);
    await system.kill(first, 'SIGTERM');
    const { numbers } = await system.runs.get(run);
    expect(numbers).toMatchObject({ claimed: 0, in_doubt: 0 });
    expect(numbers.sent).toBeLessThan(2_000);
    system.spawn('worker');
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(2_000));
  });

  it('is paused, with everybody still queued, when SES refuses everybody for the same reason', async () => {
    const system = await setup(1_500);
    await system.setFaults({ rules: [{ fault: 'message-rejected' }] });
    system.spawn('worker');
    const run = await system.startRun();
    const paused = await system.whenPaused(run);
    expect(paused.pauseReason).toContain('Email address is not verified');
    expect(paused.numbers).toMatchObject({ queued: 1_500, sent: 0, rejected: 0 });
    await system.setFaults({ rules: [] });
    const { resumeRun } = await import('@sendonce/shared/control');
    await resumeRun(system, run);
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(1_500));
  });
});
