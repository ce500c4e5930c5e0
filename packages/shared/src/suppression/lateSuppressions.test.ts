import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { luaScript } from '../runtime/index.js';
import { openTestRedis, StubClock, type TestRedis } from '../testing/index.js';
import { LateSuppressions } from './lateSuppressions.js';
import { EVERYTHING } from './suppression.js';
import { SuppressionList } from './suppressionList.js';

let test: TestRedis;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

let count = 0;
async function setup() {
  const prefix = `${test.prefix}-${count++}`;
  const services = { redis: test.redis, prefix };
  const list = new SuppressionList({ ...services, clock: new StubClock() });
  const late = new LateSuppressions(services);
  const horizonAt = (ms: number) => test.redis.set(`${prefix}:1:{suppressed-lately}:horizon`, ms);
  const add = (...addresses: string[]) =>
    list.addMany(
      addresses.map((address) => ({ address, scope: EVERYTHING, reason: 'bounce', since: new Date() })),
    );
  return { add, horizonAt, late, list, services };
}

async function among(late: LateSuppressions, addresses: readonly string[], since: Date): Promise<number[]> {
  await late.refresh();
  return late.among(addresses, since);
}

const now = () => new Date();
const people = ['a@example.com', 'b@example.com', 'c@example.com'];

it('only those who came to the list are looked up, from one reading to the next', async () => {
  const { add, late } = await setup();
  expect(await among(late, people, now())).toEqual([]);
  await add('b@example.com');
  expect(await among(late, people, now())).toEqual([1]);
  await add('x@example.com', 'c@example.com');
  expect(await among(late, people, now())).toEqual([1, 2]);
});

it('a worker that starts later knows of those who came before', async () => {
  const { add, services } = await setup();
  await add('a@example.com');
  expect(await among(new LateSuppressions(services), people, now())).toEqual([0]);
});

it('whoever reaches the limit of transient bounces is among them', async () => {
  const { late, list } = await setup();
  for (const messageId of ['1', '2'])
    await list.countTransientBounce({ address: 'a@example.com', messageId, at: now() }, 2);
  expect(await among(late, people, now())).toEqual([0]);
});

it('runs from before the horizon look everybody up', async () => {
  const { add, horizonAt, late } = await setup();
  await horizonAt(Date.now() - 600_000);
  await add('a@example.com');
  expect(await among(late, people, new Date(Date.now() - 700_000))).toEqual([0, 1, 2]);
  expect(await among(late, people, new Date(Date.now() - 300_000))).toEqual([0]);
});

it('a run that is older than what is kept looks everybody up', async () => {
  const { late } = await setup();
  expect(await among(late, people, new Date(Date.now() - 3 * 86_400_000))).toEqual([0, 1, 2]);
});

it('the horizon stays where it was while nothing comes, but not for longer than notes are kept', async () => {
  const { add, services } = await setup();
  const prelude = readFileSync(new URL('./lua/latePrelude.lua', import.meta.url), 'utf8');
  const lateRead = luaScript(import.meta.url, 'lateRead', prelude);
  const base = `${services.prefix}:1:{suppressed-lately}`;
  const day = 86_400_000;
  const read = (from: number) => lateRead(test.redis, [`${base}:added`, `${base}:horizon`], [from, 2 * day]);
  const isAbout = (ms: number) => expect.closeTo(ms, -5);
  expect(await read(Date.now() - day)).toEqual([isAbout(Date.now()), []]);
  expect(await read(Date.now() - 3 * day)).toEqual([isAbout(Date.now()), [], isAbout(Date.now() - 2 * day)]);
  await add('a@example.com');
  const news = [isAbout(Date.now()), ['a@example.com'], isAbout(Date.now() - 2 * day)];
  expect(await read(Date.now() - day)).toEqual(news);
});

it('a list of many thousands that comes at once is not kept, and everybody is looked up', async () => {
  const { add, late, services } = await setup();
  const createdAt = now();
  await add(...Array.from({ length: 30_000 }, (_, index) => `reader${index}@example.com`));
  expect(await test.redis.zcard(`${services.prefix}:1:{suppressed-lately}:added`)).toBe(20_000);
  expect(await among(late, ['reader3@example.com'], createdAt)).toEqual([0]);
  expect(await among(late, ['nobody@example.com'], createdAt)).toEqual([0]);
});
