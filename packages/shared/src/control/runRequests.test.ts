import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeQueues, openQueues, type Queues } from '../queue/index.js';
import { Runs } from '../run/index.js';
import { findKeys, makeSnapshot, openTestRedis, StubClock, type TestRedis } from '../testing/index.js';
import {
  CrowdedCampaignError,
  ForgottenRequestError,
  RequestMismatchError,
  RunRequests,
} from './runRequests.js';
import { startRun } from './startRun.js';

const DAY_MS = 86_400_000;
const RETENTION_MS = 90 * DAY_MS;
const NOW = 'news--20261124T100000Z';

let test: TestRedis;
let queues: Queues;
let count = 0;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

async function setup() {
  const clock = new StubClock();
  const { redis } = test;
  const prefix = `${test.prefix}-${count++}`;
  queues = openQueues(redis, prefix);
  const runs = new Runs({ redis, prefix, clock });
  const services = { clock, queues, redis, runs };
  const open = () => new RunRequests(services, { prefix, retentionMs: RETENTION_MS });
  const campaign = await makeSnapshot(3);
  const request = { client: 'shop', idempotencyKey: 'first', campaign: 'news' };
  const load = async () => campaign;
  const ids = async () => (await runs.list(100)).map(({ id }) => id);
  const close = () => closeQueues(queues);
  return { ...services, prefix, campaign, request, load, ids, close, requests: open(), others: open() };
}

describe('a request to start a run', () => {
  it('is one run with one job, however many come with its key at the same time', async () => {
    const { requests, others, request, load, ids, queues, close } = await setup();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => (index % 2 ? requests : others).start(request, load)),
    );
    expect(new Set(answers.map(({ record }) => record.id))).toEqual(new Set([NOW]));
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(answers.filter(({ replayed }) => replayed)).toHaveLength(49);
    expect(await ids()).toEqual([NOW]);
    expect(await queues.runs.getJobCountByTypes('waiting')).toBe(1);
    await close();
  });

  it('is a run of its own for every key and every client, also within one second', async () => {
    const { requests, others, request, load, ids, close } = await setup();
    const keys = Array.from({ length: 12 }, (_, index) => ({
      ...request,
      client: index % 2 ? 'shop' : 'crm',
      idempotencyKey: `key ${Math.floor(index / 2)}`,
    }));
    const start = () =>
      Promise.all(keys.map((key, index) => (index % 3 ? requests : others).start(key, load)));
    const first = await start();
    expect(new Set(first.map(({ record }) => record.id)).size).toBe(12);
    expect(first.every(({ created, replayed }) => created && !replayed)).toBe(true);
    const second = await start();
    expect(second.map(({ record }) => record.id)).toEqual(first.map(({ record }) => record.id));
    expect(await ids()).toHaveLength(12);
    await close();
  });

  it('goes out of the way of a run that a schedule has started in this second', async () => {
    const { requests, request, load, campaign, clock, queues, runs, close } = await setup();
    await startRun({ queues, runs }, campaign, { scheduledAt: new Date(clock.now()), origin: 'schedule' });
    const { record, created } = await requests.start(request, load);
    expect(record).toMatchObject({ id: 'news--20261124T100001Z', origin: 'api' });
    expect(created).toBe(true);
    clock.advance(5_000);
    expect((await requests.start(request, load)).record.id).toBe('news--20261124T100001Z');
    await close();
  });

  it('with a time of its own is the run of that time, whoever started it', async () => {
    const { requests, request, load, campaign, queues, runs, close } = await setup();
    const scheduledAt = new Date('2026-11-01T08:00:00.700Z');
    await startRun({ queues, runs }, campaign, { scheduledAt, origin: 'schedule' });
    const { record, created, replayed } = await requests.start({ ...request, scheduledAt }, load);
    expect(record).toMatchObject({ id: 'news--20261101T080000Z', origin: 'schedule' });
    expect({ created, replayed }).toEqual({ created: false, replayed: false });
    await close();
  });

  it('is not another request under the same key: another campaign, another time, or none', async () => {
    const { requests, request, load, ids, close } = await setup();
    const scheduledAt = new Date('2026-11-01T08:00:00Z');
    await requests.start({ ...request, scheduledAt }, load);
    for (const other of [
      request,
      { ...request, campaign: 'other', scheduledAt },
      { ...request, scheduledAt: new Date('2026-11-01T08:00:01Z') },
    ])
      await expect(requests.start(other, load)).rejects.toThrow(RequestMismatchError);
    expect(await ids()).toEqual(['news--20261101T080000Z']);
    await close();
  });

  it('is created where it was reserved, when whoever reserved it died before', async () => {
    const { requests, request, load, clock, ids, redis, close, campaign, ...rest } = await setup();
    await requests.start(request, load);
    await redis.del(`${rest.prefix}:1:{${NOW}}:record`);
    clock.advance(DAY_MS);
    const { record, created } = await requests.start(request, load);
    expect(record.id).toBe(NOW);
    expect(created).toBe(true);
    expect(await ids()).toEqual([NOW]);
    await close();
  });

  it('needs no files once its run is there, and uses up no key when they are wrong', async () => {
    const { requests, request, load, close } = await setup();
    const broken = () => Promise.reject(new Error('the files are wrong'));
    await expect(requests.start(request, broken)).rejects.toThrow('the files are wrong');
    expect((await requests.start({ ...request, campaign: 'news' }, load)).created).toBe(true);
    expect((await requests.start(request, broken)).replayed).toBe(true);
    await close();
  });

  it('is honoured as long as the run is known, and starts nothing after that', async () => {
    const { requests, request, load, clock, redis, runs, prefix, ids, close } = await setup();
    const { record } = await requests.start(request, load);
    const life = await redis.pttl((await findKeys(redis, `${prefix}:1:{request/*`))[0] ?? '');
    expect(life).toBeGreaterThan(RETENTION_MS);
    await runs.close(record.id, RETENTION_MS);
    clock.advance(RETENTION_MS - 60_000);
    expect((await requests.start(request, load)).replayed).toBe(true);
    await redis.del(`${prefix}:1:{${record.id}}:record`);
    await expect(requests.start(request, load)).rejects.toThrow(ForgottenRequestError);
    expect(await ids()).toEqual([]);
    await close();
  });

  it('is refused when a whole minute is full of runs, and goes on from there later', async () => {
    const { requests, request, load, campaign, clock, queues, runs, close } = await setup();
    for (let second = 0; second < 60; second++)
      await startRun({ queues, runs }, campaign, {
        scheduledAt: new Date(clock.now() + second * 1_000),
        origin: 'manual',
      });
    await expect(requests.start(request, load)).rejects.toThrow(CrowdedCampaignError);
    expect((await requests.start(request, load)).record.id).toBe('news--20261124T100100Z');
    await close();
  });
});
