import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Buckets } from '../suppression/index.js';
import { openTestRedis, type TestRedis } from '../testing/index.js';
import { FrequencyCaps } from './index.js';

let test: TestRedis;
let count = 0;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

const DAILY = { per: '24h', max: 1, group: 'notifications' };
const DAY_S = 86_400;

function setup() {
  const prefix = `${test.prefix}-${count++}`;
  const caps = new FrequencyCaps({ redis: test.redis, prefix });
  const keys = () => test.redis.keys(`${prefix}:*`);
  /** As if everything had happened so long ago: the times of all entries, and the hashes' own. */
  const age = async (seconds: number) => {
    for (const key of await keys())
      for (const field of await test.redis.hkeysBuffer(key)) {
        const value = (await test.redis.hgetBuffer(key, field)) ?? Buffer.alloc(0);
        const times = field.length === 0 ? [4, 8] : range(value.length / 9).map((entry) => entry * 9);
        for (const at of times) value.writeUInt32BE(value.readUInt32BE(at) - seconds, at);
        await test.redis.hset(key, field, value);
      }
  };
  return { prefix, caps, keys, age };
}

const range = (length: number) => Array.from({ length }, (_, index) => index);
const people = (length: number) => range(length).map((index) => `reader${index}@example.com`);

describe('a frequency cap', () => {
  it('lets as many mails through as it says, whichever campaign they are of, and then none', async () => {
    const { caps } = setup();
    const cap = { ...DAILY, max: 2 };
    expect(await caps.take(cap, 'a--1', people(40))).toEqual([]);
    expect(await caps.take(cap, 'b--1', people(20))).toEqual([]);
    expect((await caps.take(cap, 'c--1', people(40))).sort((a, b) => a - b)).toEqual(range(20));
  });

  it('counts a run once, however often it asks, and keeps its place for it', async () => {
    const { caps } = setup();
    for (let again = 0; again < 3; again++) expect(await caps.take(DAILY, 'a--1', people(5))).toEqual([]);
    expect(await caps.take(DAILY, 'b--1', people(5))).toHaveLength(5);
    expect(await caps.take(DAILY, 'a--1', people(5))).toEqual([]);
  });

  it('is each group’s own', async () => {
    const { caps } = setup();
    await caps.take(DAILY, 'a--1', people(3));
    expect(await caps.take({ ...DAILY, group: 'digests' }, 'b--1', people(3))).toEqual([]);
  });

  it('slides: a mail counts until it is so old, to the second', async () => {
    const { caps, age } = setup();
    await caps.take(DAILY, 'a--1', people(3));
    await age(DAY_S - 60);
    expect(await caps.take(DAILY, 'b--1', people(3))).toHaveLength(3);
    await age(60);
    expect(await caps.take(DAILY, 'b--1', people(3))).toEqual([]);
    expect(await caps.take(DAILY, 'a--2', people(3))).toHaveLength(3);
  });

  it('of several campaigns with rules of their own looks at one history', async () => {
    const { caps, age } = setup();
    const weekly = { per: '7d', max: 2, group: DAILY.group };
    expect(await caps.take(weekly, 'w--1', people(1))).toEqual([]);
    expect(await caps.take(DAILY, 'd--1', people(1))).toEqual([0]);
    await age(DAY_S);
    expect(await caps.take(DAILY, 'd--2', people(1))).toEqual([]);
    expect(await caps.take(weekly, 'w--2', people(1))).toEqual([0]);
    await age(6 * DAY_S);
    expect(await caps.take(weekly, 'w--3', people(1))).toEqual([]);
  });

  it('gives a place back, and only the run’s own', async () => {
    const { caps } = setup();
    await caps.take(DAILY, 'a--1', people(4));
    await caps.giveBack(DAILY, 'other--1', people(4));
    await caps.giveBack(DAILY, 'a--1', people(2));
    await caps.giveBack(DAILY, 'a--1', people(2));
    expect((await caps.take(DAILY, 'b--1', people(4))).sort()).toEqual([2, 3]);
  });

  it('holds no address, and goes with its time', async () => {
    const { caps, keys } = setup();
    await caps.take(DAILY, 'a--1', people(20));
    const stored = await Promise.all(
      (await keys()).map(async (key) => [key, JSON.stringify(await test.redis.hgetall(key))].join()),
    );
    expect(stored.join()).not.toMatch(/reader|example/);
    const left = await Promise.all((await keys()).map((key) => test.redis.ttl(key)));
    expect(left.every((seconds) => seconds > DAY_S - 60 && seconds <= DAY_S)).toBe(true);
  });

  it('forgets people who get no mails any more, although others of their hash do', async () => {
    const { caps, age, keys, prefix } = setup();
    const buckets = new Buckets(prefix, `capped/${DAILY.group}`);
    const [first = '', ...others] = people(200_000);
    const neighbour = others.find((one) => buckets.keyOf(one) === buckets.keyOf(first)) ?? '';
    await caps.take(DAILY, 'a--1', [first]);
    await age(DAY_S);
    await caps.take(DAILY, 'a--2', [neighbour]);
    const [key = ''] = await keys();
    expect(await test.redis.hlen(key)).toBe(2);
  });

  it('lets exactly as many through when campaigns come to the same people at the same moment', async () => {
    const { prefix } = setup();
    const everybody = people(1_000);
    const cap = { ...DAILY, max: 3 };
    const connections = await Promise.all(range(4).map(() => openTestRedis()));
    const got = new Map<string, number>();
    await Promise.all(
      range(8).map(async (campaign) => {
        const { redis } = connections[campaign % connections.length] ?? test;
        const caps = new FrequencyCaps({ redis, prefix });
        for (let first = 0; first < everybody.length; first += 100) {
          const some = everybody.slice(first, first + 100);
          const full = new Set(await caps.take(cap, `campaign${campaign}--1`, some));
          for (const [index, one] of some.entries())
            if (!full.has(index)) got.set(one, (got.get(one) ?? 0) + 1);
        }
      }),
    );
    await Promise.all(connections.map((connection) => connection.close()));
    expect(got.size).toBe(everybody.length);
    expect([...new Set(got.values())]).toEqual([3]);
  });
});
