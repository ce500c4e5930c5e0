/** Everybody gets it on their own clock: the parts of a run, each at its time, whatever dies before it. */
import { loadCampaign } from '@sendonce/shared/campaign';
import { cancelRun, pauseRun, resumeRun, startRun } from '@sendonce/shared/control';
import { sendJobId } from '@sendonce/shared/queue';
import { freezeRun } from '@sendonce/shared/run';
import { systemClock as clock } from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';
import { makeCampaignDir, waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { everyone, System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const HOUR_MS = 3_600_000;
/** Due hours ago, soon (by the schedule's own zone as well), and in 12 hours. */
const ZONES = ['Asia/Tokyo', 'Etc/UTC', '', 'Etc/GMT+12'];
const EACH = 40;

async function setup() {
  const rows = Array.from(
    { length: EACH * ZONES.length },
    (_, n) => `reader${n}@example.com,R,${ZONES[n % 4]}`,
  );
  const campaignsDir = makeCampaignDir({
    csv: `email,first_name,zone\n${rows.join('\n')}\n`,
    settings: 'schedule: { cron: 0 9 * * *, timezone: UTC, timezone_field: zone }\n',
    body: 'Of {{ run.scheduled_at }}\n',
  });
  const system = await System.start({ campaignsDir });
  cleanups.push(() => system.stop());
  /** A run that comes to UTC in so many ms, and has begun 14 hours before. */
  const start = async (comesInMs: number) => {
    const dueAt = Math.ceil((Date.now() + comesInMs) / 1_000) * 1_000;
    const scheduledAt = new Date(dueAt - 14 * HOUR_MS);
    const campaign = await loadCampaign(campaignsDir, 'news');
    const { record } = await startRun(system, campaign, { scheduledAt, origin: 'schedule' });
    return { run: record.id, dueAt };
  };
  return { system, start };
}

interface Listed {
  acceptedAt: string;
  to: string[];
}

/** When mails to a zone's recipients were taken, ms. */
async function takenIn(system: System, ...zones: string[]): Promise<number[]> {
  const mails = (await (await fetch(`${system.sesUrl}/messages?limit=1000`)).json()) as Listed[];
  return mails
    .filter(({ to }) => zones.includes(ZONES[Number(/\d+/.exec(to[0] ?? '')?.[0]) % 4] ?? 'none'))
    .map(({ acceptedAt }) => Date.parse(acceptedAt));
}

it('gets each part at its time and not before, though a worker is killed meanwhile and jobs come early', async () => {
  const { system, start } = await setup();
  const { child: victim } = await system.spawnWatched('worker');
  const { run, dueAt } = await start(3_000);
  await system.whenSent(run, EACH);
  await system.kill(victim);
  // As when somebody promotes them in Bull Board.
  for (const job of await system.queues.sends.getDelayed()) await job.promote();
  system.spawn('worker');
  const last = sendJobId({ run, chunk: 2 });
  await waitFor('the last part to be sent back', async () =>
    (await system.queues.sends.getJob(last))?.isDelayed(),
  );
  const { numbers, status } = await system.whenSent(run, 3 * EACH);
  expect(numbers).toMatchObject({ sent: 3 * EACH, queued: EACH });
  expect(status).toBe('sending');
  const taken = await takenIn(system, 'Etc/UTC', '');
  expect(taken).toHaveLength(2 * EACH);
  expect(Math.min(...taken)).toBeGreaterThanOrEqual(dueAt);
  expect(await takenIn(system, 'Etc/GMT+12')).toEqual([]);
  const mail = await system.mailTo('reader0@example.com');
  expect(mail?.text).toContain(`Of ${new Date(dueAt).toISOString()}`);

  const shown = await system.sendonce('status', run);
  expect(shown.out).toMatch(/Next of 3 parts: \d\d:\d\d at UTC−12, .*Z \(40 recipients\)/);
  expect(await cancelRun(system, run, 'by the test')).toBe(true);
  const { numbers: final } = await system.runs.get(run);
  expect(final).toMatchObject({ audience: 160, sent: 120, cancelled: 40, queued: 0 });
  expect(await system.inbox(run)).toEqual(everyone(3 * EACH));
});

it('waits for the operator where the run was paused when its time came, and needs no job from before', async () => {
  const { system, start } = await setup();
  const { run, dueAt } = await start(1_000);
  const { redis, prefix } = system;
  await freezeRun({ ...system, clock, suppressions: new SuppressionList({ redis, prefix, clock }) }, run);
  await pauseRun(system, run, 'by the test');
  system.spawn('worker');
  await waitFor('the time of the part', () => Date.now() > dueAt);
  expect((await system.runs.get(run)).numbers.sent).toBe(0);
  expect(await resumeRun(system, run)).toBe(true);
  await system.whenSent(run, 3 * EACH);
  expect(await takenIn(system, 'Etc/GMT+12')).toEqual([]);
  expect(await (await system.queues.sends.getJob(sendJobId({ run, chunk: 2 })))?.isDelayed()).toBe(true);
});
