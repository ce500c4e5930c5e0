import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { makeLogger } from '@sendonce/shared/runtime';
import { makeCampaignDir, openTestRedis, StubClock, type TestRedis } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOccurrence } from './due.js';

let test: TestRedis;
let count = 0;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

/** An hourly campaign; the occurrence of ten o'clock comes up at some other time. */
async function comesUpAt(time: string, settings: string) {
  const prefix = `${test.prefix}-${count++}`;
  const clock = new StubClock(Date.parse(`2026-11-24T${time}Z`));
  const runs = new Runs({ redis: test.redis, prefix, clock });
  const queues = openQueues(test.redis, prefix);
  const schedule = 'schedule: { cron: "0 * * * *", timezone: UTC }\n';
  const campaignsDir = makeCampaignDir({ settings: `${schedule}${settings}` });
  const start = () =>
    startOccurrence(
      { runs, queues, clock, logger: makeLogger('test', 'silent') },
      { campaignsDir, campaign: 'news', scheduledAt: new Date('2026-11-24T10:00:00Z') },
    );
  await start();
  await start();
  const created = (await runs.list(10)).map(({ id }) => id);
  const jobs = (await queues.runs.getWaiting()).map(({ id }) => id);
  await closeQueues(queues);
  return { created, jobs };
}

const berlin = { cron: '0 10 * * *', timezone: 'Europe/Berlin' };

/** An occurrence whose job was made by another version of the file: when its schedule was read in this zone. */
async function changedSince(change: { zone: string; at: Date; hasOwnZones: boolean; now: string }) {
  const prefix = `${test.prefix}-${count++}`;
  const clock = new StubClock(Date.parse(`2026-11-24T${change.now}Z`));
  const runs = new Runs({ redis: test.redis, prefix, clock });
  const queues = openQueues(test.redis, prefix);
  const own = change.hasOwnZones ? ', timezone_field: zone' : '';
  const campaignsDir = makeCampaignDir({
    settings: `schedule: { cron: "${berlin.cron}", timezone: ${berlin.timezone}${own} }\n`,
    csv: 'email,first_name,zone\na@example.com,A,Asia/Tokyo\n',
  });
  const { zone, at: scheduledAt } = change;
  await startOccurrence(
    { runs, queues, clock, logger: makeLogger('test', 'silent') },
    { campaignsDir, campaign: 'news', scheduledAt, zone },
  );
  await closeQueues(queues);
  const created = (await runs.list(10)).map(({ id }) => id);
  return { runs, created, run: created[0] ?? '' };
}

describe('an occurrence', () => {
  it('makes one run under the scheduled time, and one job to freeze it, however often it comes', async () => {
    const run = 'news--20261124T100000Z';
    expect(await comesUpAt('10:00:02', '')).toEqual({ created: [run], jobs: [run] });
  });

  it('that comes up after a downtime runs as the latest that was missed', async () => {
    const run = 'news--20261124T130000Z';
    expect(await comesUpAt('13:40:00', 'catch_up: latest\n')).toEqual({ created: [run], jobs: [run] });
  });

  it('whose file has begun to name recipients’ zones since goes to everybody at once, as it was meant', async () => {
    const at = new Date('2026-11-24T09:00:00Z');
    const { runs, run } = await changedSince({
      zone: 'Europe/Berlin',
      at,
      hasOwnZones: true,
      now: '09:01:00',
    });
    expect((await runs.snapshot(run)).definition.schedule).toEqual(berlin);
  });

  it('whose file names no zones of recipients any more comes by the schedule’s zone, once', async () => {
    const at = new Date('2026-11-23T20:00:00Z');
    const change = { zone: 'Pacific/Kiritimati', at, hasOwnZones: false };
    expect(await changedSince({ ...change, now: '08:59:00' })).toMatchObject({ created: [] });
    expect(await changedSince({ ...change, now: '09:01:00' })).toMatchObject({
      created: ['news--20261124T090000Z'],
    });
  });

  it('that comes up after a downtime is skipped where the campaign says so', async () => {
    expect(await comesUpAt('13:40:00', 'catch_up: skip\n')).toEqual({ created: [], jobs: [] });
  });
});
