/** What comes late, twice, or from a clock that is wrong: all without a second mail. */
import { once } from 'node:events';
import { sendJobId } from '@sendonce/shared/queue';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { everyone, System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup(recipients: number, settings = '') {
  const csv = makeCsv(recipients);
  const system = await System.start({ campaignsDir: makeCampaignDir({ csv, settings }) });
  cleanups.push(() => system.stop());
  return system;
}

/** A process whose clock is wrong: Date.now is all that ours and BullMQ ask. */
function clockAhead(ms: number): Record<string, string> {
  const script = `const now=Date.now;Date.now=()=>now()+${ms}`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

describe('a job', () => {
  it('that two workers have at the same time is done by both, and mails go out once', async () => {
    const system = await setup(400);
    system.spawn('worker', { SES_MAX_RATE: '200' });
    system.spawn('worker', { SES_MAX_RATE: '200' });
    const run = await system.startRun();
    await system.whenSent(run, 1);
    const { sends } = system.queues;
    await Promise.all(
      [1, 2, 3].map((copy) => sends.add('send', { run, chunk: 0, chunks: 1 }, { jobId: `copy-${copy}` })),
    );
    await waitFor('two jobs of one chunk at once', async () => (await sends.getActiveCount()) >= 2);
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(400));
  });

  it('whose lock is lost in the middle is taken over by another worker, and mails go out once', async () => {
    const system = await setup(400);
    system.spawn('worker', { SES_MAX_RATE: '100' });
    const run = await system.startRun();
    await system.whenSent(run, 1);
    // As BullMQ does for a job whose worker has been silent for too long: its lock is gone, and it waits again.
    const jobId = sendJobId({ run, chunk: 0 });
    const { sends } = system.queues;
    const key = (name: string) => sends.toKey(name);
    await system.redis.del(`${key(jobId)}:lock`);
    await system.redis.lrem(key('active'), 0, jobId);
    await system.redis.lpush(key('wait'), jobId);
    system.spawn('worker', { SES_MAX_RATE: '100' });
    await system.whenFinished(run);
    expect(await system.inbox(run)).toEqual(everyone(400));
  });

  it('of a finished run that is retried in Bull Board sends nothing', async () => {
    const system = await setup(50);
    system.spawn('worker');
    const dashboard = await system.startDashboardPorts();
    const run = await system.startRun();
    await system.whenFinished(run);
    const cookie = await system.cookie();
    const { sends } = system.queues;
    const jobId = sendJobId({ run, chunk: 0 });
    const before = await sends.getJob(jobId);
    const retried = await fetch(
      `${system.dashboardUrl}/queues/api/queues/sends/${encodeURIComponent(jobId)}/retry`,
      // As its button does: Bull Board knows no token, so the browser has to say that it is our page that asks.
      { method: 'PUT', headers: { cookie, 'sec-fetch-site': 'same-origin' } },
    );
    expect(retried.status).toBe(204);
    await waitFor('the second time', async () => {
      const job = await sends.getJob(jobId);
      return job?.returnvalue === 'done' && (job.finishedOn ?? 0) > (before?.finishedOn ?? 0);
    });
    expect(await system.inbox(run)).toEqual(everyone(50));
    expect(dashboard.exitCode).toBeNull();
  });
});

describe('a scheduler', () => {
  it.each([-3_600_000, 3_600_000])('whose clock is %i ms off does not start', async (ms) => {
    const system = await setup(3);
    const [code] = await once(system.spawn('scheduler', clockAhead(ms)), 'exit');
    expect(code).toBe(2);
  });

  it('whose clock is 40 s ahead, beside one that is right, sends an occurrence once', async () => {
    const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 5_000);
    const system = await setup(30, `schedule: { at: "${at.toISOString()}" }\n`);
    system.spawn('scheduler', clockAhead(40_000));
    system.spawn('scheduler');
    system.spawn('worker');
    const run = `news--${at.toISOString().replace(/[-:]|\.\d+/g, '')}`;
    await system.whenFinished(run);
    await waitFor('the right time', () => Promise.resolve(Date.now() > at.getTime() + 1_000));
    await waitFor('the runs queue to be empty', async () => {
      const { waiting = 0, active = 0 } = await system.queues.runs.getJobCounts('waiting', 'active');
      return waiting + active === 0;
    });
    // Any other run would be sent, and stay open until it is.
    await waitFor('no run to be open', async () => (await system.runs.open()).length === 0);
    expect(await system.inbox(run)).toEqual(everyone(30));
  });
});
