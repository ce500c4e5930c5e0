import { afterEach, describe, expect, it } from 'vitest';
import { openTestRedis, StubClock, type TestRedis } from '../testing/index.js';
import { AuditTrail, isAuditId } from './index.js';

const DAY_MS = 86_400_000;
let test: TestRedis | undefined;
afterEach(async () => {
  await test?.close();
  test = undefined;
});

async function setup() {
  test = await openTestRedis();
  const clock = new StubClock(Date.now());
  return { ...test, clock, trail: new AuditTrail({ ...test, clock }) };
}

const PAUSE = { who: 'jane', via: 'cli', action: 'run.pause', outcome: 'done' } as const;

describe('the audit trail', () => {
  it('says who did what, when, to what, why, and with which outcome', async () => {
    const { trail, clock } = await setup();
    await trail.record({ ...PAUSE, subject: 'news--20261124T100000Z', detail: 'wrong prices' });
    const [entry] = await trail.list({ limit: 10 });
    expect(entry).toEqual({
      ...PAUSE,
      id: expect.any(String),
      at: new Date(clock.now()),
      subject: 'news--20261124T100000Z',
      detail: 'wrong prices',
    });
  });

  it('comes in pages, newest first, with nobody twice and nobody left out', async () => {
    const { trail } = await setup();
    for (let number = 0; number < 7; number++) await trail.record({ ...PAUSE, subject: `run-${number}` });
    const first = await trail.list({ limit: 4 });
    const second = await trail.list({ limit: 4, before: first.at(-1)?.id ?? '' });
    expect([...first, ...second].map(({ subject }) => subject)).toEqual(
      [6, 5, 4, 3, 2, 1, 0].map((number) => `run-${number}`),
    );
  });

  it('holds no address, not even one that somebody wrote into a reason', async () => {
    const { trail, redis, prefix } = await setup();
    await trail.record({
      ...PAUSE,
      subject: 'jane.doe@example.com',
      detail: 'asked by <joe+1@mail.example.com>, twice',
    });
    const [entry] = await trail.list({ limit: 1 });
    expect(entry?.subject).toBe('j…@example.com');
    expect(entry?.detail).toBe('asked by <j…@mail.example.com>, twice');
    expect(JSON.stringify(await redis.xrange(`${prefix}:1:audit`, '-', '+'))).not.toMatch(/doe|joe/);
  });

  it('shows what another version has written, in its words', async () => {
    const { trail, redis, prefix, clock } = await setup();
    const fields = {
      at: clock.now(),
      who: 'jane',
      via: 'robot',
      action: 'run.repeat',
      outcome: 'perhaps',
      mood: 'good',
    };
    await redis.xadd(`${prefix}:1:audit`, '*', ...Object.entries(fields).flat());
    expect(await trail.list({ limit: 1 })).toMatchObject([{ via: 'robot', action: 'run.repeat' }]);
  });

  it('knows the ids of its entries', () => {
    for (const id of ['1795494084238-0', '1-1']) expect(isAuditId(id)).toBe(true);
    for (const id of ['', '+', '0-0', '1', '(1-1', '1-1 2-2']) expect(isAuditId(id)).toBe(false);
  });

  it('forgets what is older than its retention', async () => {
    const { trail, clock, redis, prefix } = await setup();
    for (let number = 0; number < 150; number++) await trail.record(PAUSE);
    clock.advance(500 * DAY_MS);
    expect(await trail.list({ limit: 200 })).toEqual([]);
    await trail.record(PAUSE);
    expect(await redis.xlen(`${prefix}:1:audit`)).toBeLessThan(100);
  });
});
