import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SchedulePauses } from '@sendonce/shared/control';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { makeLogger, systemClock } from '@sendonce/shared/runtime';
import { makeCampaignDir, openTestRedis, StubClock, type TestRedis } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScheduleSync } from './scheduleSync.js';

let test: TestRedis;
let count = 0;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

const cron = (expression: string, timezone = 'Europe/Berlin') =>
  `schedule:\n  cron: "${expression}"\n  timezone: ${timezone}\n`;

async function setup(settings: string, clock: StubClock | typeof systemClock = systemClock) {
  const prefix = `${test.prefix}-${count++}`;
  const campaignsDir = makeCampaignDir({ settings });
  const queues = openQueues(test.redis, prefix);
  const runs = new Runs({ redis: test.redis, prefix, clock });
  const logger = makeLogger('test', 'silent');
  const pauses = new SchedulePauses({ redis: test.redis, prefix });
  const sync = new ScheduleSync({ clock, logger, pauses, queues, runs }, { campaignsDir });
  const rewrite = (content: string) =>
    writeFileSync(
      join(campaignsDir, 'news', 'campaign.yaml'),
      `from: a@dif.io\nsubject: Hi\naudience: { csv: recipients.csv }\n${content}`,
    );
  const close = () => closeQueues(queues);
  return { campaignsDir, pauses, queues, runs, sync, rewrite, close };
}

describe('job schedulers follow the campaign files', () => {
  it('are added, changed and removed, and left alone when nothing changed', async () => {
    const { campaignsDir, queues, sync, rewrite, close } = await setup(cron('0 10 * * *'));
    expect(await sync.runOnce()).toMatchObject({ added: ['news'] });
    expect(await sync.runOnce()).toEqual({ added: [], changed: [], removed: [], broken: [] });
    expect(await queues.runs.getJobScheduler('news')).toMatchObject({
      pattern: '0 10 * * *',
      tz: 'Europe/Berlin',
    });
    rewrite(cron('0 11 * * *'));
    expect(await sync.runOnce()).toMatchObject({ changed: ['news'] });
    rmSync(join(campaignsDir, 'news'), { recursive: true });
    expect(await sync.runOnce()).toMatchObject({ removed: ['news'] });
    expect(await queues.runs.getJobSchedulersCount()).toBe(0);
    expect(await queues.runs.getDelayedCount()).toBe(0);
    await close();
  });

  it('fire in the first zone of the earth where recipients have zones of their own, and do not lose what is overdue', async () => {
    const { campaignsDir, queues, sync, rewrite, close } = await setup(cron('0 10 * * *'));
    await sync.runOnce();
    writeFileSync(
      join(campaignsDir, 'news', 'recipients.csv'),
      'email,first_name,zone\na@example.com,A,Asia/Tokyo\n',
    );
    rewrite(`${cron('0 10 * * *')}  timezone_field: zone\n`);
    expect(await sync.runOnce()).toMatchObject({ changed: ['news'] });
    expect(await sync.runOnce()).toMatchObject({ changed: [] });
    const tz = 'Pacific/Kiritimati';
    expect(await queues.runs.getJobScheduler('news')).toMatchObject({ pattern: '0 10 * * *', tz });
    const [job] = await queues.runs.getDelayed();
    expect(new Date((job?.timestamp ?? 0) + (job?.delay ?? 0)).toISOString()).toMatch(/T20:00:00/);
    const dueAt = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 4 * 3_600_000;
    await backDate(queues, 'news', dueAt);
    await sync.runOnce();
    expect(await queues.runs.getJobCountByTypes('waiting', 'delayed')).toBe(1);
    rewrite(cron('0 10 * * *'));
    await sync.runOnce();
    expect((await queues.runs.getWaiting()).map(({ id }) => id)).toEqual([
      expect.stringMatching(/^due-news--\d+T200000Z$/),
    ]);
    await close();
  });

  it('are one a campaign, however many schedulers look at once', async () => {
    const { queues, sync, close } = await setup(cron('0 10 * * *'));
    await Promise.all(Array.from({ length: 8 }, () => sync.runOnce()));
    expect(await queues.runs.getJobSchedulersCount()).toBe(1);
    expect(await queues.runs.getDelayedCount()).toBe(1);
    await close();
  });

  it('are taken off while an operator has paused them, and come back without what was due meanwhile', async () => {
    const { pauses, queues, sync, close } = await setup(cron('0 10 * * *'));
    await sync.runOnce();
    await pauses.pause(queues, 'news', { at: new Date(0), by: 'jane' });
    expect(await queues.runs.getJobSchedulersCount()).toBe(0);
    expect(await queues.runs.getDelayedCount()).toBe(0);
    expect(await sync.runOnce()).toMatchObject({ added: [], broken: [] });
    expect([...(await pauses.all())]).toEqual([['news', { at: new Date(0), by: 'jane' }]]);
    expect([await pauses.resume('news'), await pauses.resume('news')]).toEqual([true, false]);
    expect(await sync.runOnce()).toMatchObject({ added: ['news'] });
    expect(await queues.runs.getDelayedCount()).toBe(1);
    await close();
  });

  it('stay as they were while the file of their campaign is broken', async () => {
    const { queues, sync, rewrite, close } = await setup(cron('0 10 * * *'));
    await sync.runOnce();
    rewrite('schedule: nonsense\n');
    expect(await sync.runOnce()).toMatchObject({ broken: ['news'], removed: [] });
    expect(await queues.runs.getJobScheduler('news')).toMatchObject({ pattern: '0 10 * * *' });
    await close();
  });

  it('do not lose an overdue occurrence: neither when nothing changed, nor when the schedule did', async () => {
    const { queues, sync, rewrite, close } = await setup(cron('* * * * *', 'UTC'));
    await sync.runOnce();
    const [job] = await queues.runs.getDelayed();
    // As after a downtime: what was due an hour ago is still waiting.
    const dueAt = Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000;
    await backDate(queues, 'news', dueAt);
    await sync.runOnce();
    expect((await queues.runs.getDelayed()).map(({ id }) => id)).toEqual([job?.id]);
    rewrite(cron('0 11 * * *'));
    await sync.runOnce();
    const rescued = (await queues.runs.getWaiting()).map(({ id }) => id);
    expect(rescued).toHaveLength(1);
    expect(rescued[0]).toMatch(/^due-news--/);
    await close();
  });

  it('of a fixed date are one delayed job, which moves with the date and never runs twice', async () => {
    const clock = new StubClock(Date.parse('2026-11-24T09:00:00Z'));
    const { queues, runs, sync, rewrite, close } = await setup(
      'schedule: { at: "2026-11-24T10:00:00Z" }\n',
      clock,
    );
    await sync.runOnce();
    await sync.runOnce();
    expect((await queues.runs.getDelayed()).map(({ id, delay }) => [id, delay])).toEqual([
      ['due-news--20261124T100000Z', 3_600_000],
    ]);
    rewrite('schedule: { at: "2026-11-25T10:00:00Z" }\n');
    await sync.runOnce();
    expect((await queues.runs.getDelayed()).map(({ id }) => id)).toEqual(['due-news--20261125T100000Z']);
    expect(await runs.find('news--20261124T100000Z')).toBeUndefined();
    await close();
  });

  it('of a fixed date that is long past do nothing', async () => {
    const { queues, sync, close } = await setup('schedule: { at: "2026-01-01T10:00:00Z" }\n');
    await sync.runOnce();
    expect(await queues.runs.getJobCounts()).toMatchObject({ delayed: 0, waiting: 0 });
    await close();
  });
});

/** Moves a scheduler's next occurrence into the past, as time does while everything is down. */
async function backDate(
  queues: Awaited<ReturnType<typeof setup>>['queues'],
  id: string,
  millis: number,
): Promise<void> {
  await test.redis.zadd(queues.runs.toKey('repeat'), millis, id);
}
