import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findKeys, openTestRedis, StubClock, type TestRedis } from '../testing/index.js';
import { EVERYTHING, SUPPRESSION_REASONS, type Suppression, type SuppressionReason } from './suppression.js';
import { SuppressionList } from './suppressionList.js';

let test: TestRedis;
let count = 0;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

const DAY_MS = 86_400_000;
const since = new Date('2026-11-24T10:00:00Z');

function setup() {
  const clock = new StubClock();
  const { redis } = test;
  const prefix = `${test.prefix}-${count++}`;
  const list = new SuppressionList({ redis, prefix, clock });
  const all = async (): Promise<Suppression[]> => {
    const entries: Suppression[] = [];
    for await (const entry of list.entries()) entries.push(entry);
    return entries;
  };
  return { list, clock, all, prefix };
}

function entry(address: string, change: Partial<Suppression> = {}): Suppression {
  return { address, scope: EVERYTHING, reason: 'manual', since, ...change };
}

describe('the suppression list', () => {
  it('knows who gets no mail of a campaign: everything counts for each, another campaign does not', async () => {
    const { list } = setup();
    await list.addMany([
      entry('all@example.com'),
      entry('news@example.com', { scope: 'news', reason: 'unsubscribe' }),
      entry('other@example.com', { scope: 'other' }),
    ]);
    const addresses = ['free@example.com', 'news@example.com', 'other@example.com', 'all@example.com'];
    const found = await list.findMany(addresses, 'news');
    expect([...found.keys()].sort()).toEqual([1, 3]);
    expect(found.get(1)).toMatchObject({ reason: 'unsubscribe', scope: 'news' });
    expect((await list.findMany([], 'news')).size).toBe(0);
  });

  it('finds whoever is on it among thousands, at their places', async () => {
    const { list } = setup();
    const addresses = Array.from({ length: 2_500 }, (_, index) => `reader${index}@example.com`);
    await list.addMany(addresses.filter((_, index) => index % 7 === 0).map((address) => entry(address)));
    const found = await list.findMany(addresses, 'news');
    expect([...found.keys()].sort((a, b) => a - b)).toEqual(
      addresses.map((_, i) => i).filter((i) => i % 7 === 0),
    );
    for (const [index, { address }] of found) expect(address).toBe(addresses[index]);
  });

  it('keeps an address several times, once a scope, and gives back all it was told', async () => {
    const { list, all } = setup();
    const entries = [
      entry('a@example.com', { scope: 'news', reason: 'unsubscribe', run: 'news--20261124T100000Z' }),
      entry('a@example.com', { scope: EVERYTHING, reason: 'import' }),
      entry('"a|b,c"@example.com', { reason: 'ses' }),
    ];
    expect(await list.addMany(entries)).toEqual(['added', 'added', 'added']);
    expect(await list.find('a@example.com')).toEqual(entries.slice(0, 2));
    expect(await all()).toHaveLength(3);
    expect(await all()).toEqual(expect.arrayContaining(entries));
  });

  it('forgets an address for one scope only, and leaves nothing behind when it was the last', async () => {
    const { list, prefix } = setup();
    await list.addMany([entry('a@example.com'), entry('a@example.com', { scope: 'news' })]);
    expect(await list.remove('a@example.com', 'other')).toBe(false);
    expect(await list.remove('a@example.com', EVERYTHING)).toBe(true);
    expect((await list.find('a@example.com')).map(({ scope }) => scope)).toEqual(['news']);
    expect(await list.remove('a@example.com', 'news')).toBe(true);
    const keys = await findKeys(test.redis, `${prefix}:*`);
    // What came lately is forgotten by itself.
    expect(keys.filter((key) => !key.includes('lately'))).toEqual([]);
  });

  it('forgets only for the reason that is named', async () => {
    const { list } = setup();
    await list.add(entry('a@example.com', { reason: 'complaint' }));
    expect(await list.remove('a@example.com', EVERYTHING, 'unsubscribe')).toBe(false);
    expect(await list.find('a@example.com')).toHaveLength(1);
  });
});

describe('a second reason for the same address', () => {
  const STRONGEST_FIRST: SuppressionReason[] = [
    'complaint',
    'bounce',
    'manual',
    'ses',
    'import',
    'unsubscribe',
  ];
  const later = new Date('2026-12-01T10:00:00Z');

  for (const first of SUPPRESSION_REASONS) {
    for (const second of SUPPRESSION_REASONS) {
      const isStronger = STRONGEST_FIRST.indexOf(second) < STRONGEST_FIRST.indexOf(first);
      it(`${second} after ${first} ${isStronger ? 'replaces it' : 'changes nothing'}`, async () => {
        const { list } = setup();
        const [before, after] = [
          entry('a@example.com', { reason: first, run: 'a--1' }),
          entry('a@example.com', { reason: second, since: later }),
        ];
        expect(await list.add(before)).toBe('added');
        expect(await list.add(after)).toBe(isStronger ? 'strengthened' : 'known');
        expect(await list.find('a@example.com')).toEqual([isStronger ? after : before]);
      });
    }
  }
});

describe('transient bounces', () => {
  const LIMIT = 3;

  function setupBounces() {
    const bundle = setup();
    let mail = 0;
    const bounce = (messageId = `message-${mail++}`) =>
      bundle.list.countTransientBounce(
        { address: 'full@example.com', messageId, at: new Date(bundle.clock.now()), run: 'news--1' },
        LIMIT,
      );
    return { ...bundle, bounce };
  }

  it('suppress the address when there were enough of them', async () => {
    const { list, bounce, prefix } = setupBounces();
    expect([await bounce(), await bounce()]).toEqual([false, false]);
    expect(await list.find('full@example.com')).toEqual([]);
    expect(await bounce()).toBe(true);
    expect(await list.find('full@example.com')).toMatchObject([
      { scope: EVERYTHING, reason: 'bounce', run: 'news--1' },
    ]);
    expect(await findKeys(test.redis, `${prefix}:*transient*`)).toEqual([]);
  });

  it('of the same mail count once, since events come twice', async () => {
    const { bounce } = setupBounces();
    for (let times = 0; times < 10; times++) expect(await bounce('the same')).toBe(false);
  });

  it('that are more than 30 days old count no more', async () => {
    const { bounce, clock } = setupBounces();
    await bounce();
    clock.advance(20 * DAY_MS);
    await bounce();
    clock.advance(11 * DAY_MS);
    expect(await bounce(), 'the first is 31 days old').toBe(false);
    expect(await bounce()).toBe(true);
  });

  it('are not counted with a limit of 0, and forgotten by themselves', async () => {
    const { list, bounce, prefix } = setupBounces();
    const nothing = { address: 'a@example.com', messageId: 'm', at: since };
    for (let times = 0; times < 10; times++) expect(await list.countTransientBounce(nothing, 0)).toBe(false);
    expect(await findKeys(test.redis, `${prefix}:*`)).toEqual([]);
    await bounce();
    const [key = ''] = await findKeys(test.redis, `${prefix}:*transient*`);
    expect(await test.redis.pttl(key)).toBeGreaterThan(29 * DAY_MS);
  });
});
