import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findKeys, openTestRedis, type TestRedis } from '../testing/index.js';
import { Clicks, clicksBy } from './clicks.js';

let test: TestRedis;
let campaigns = 0;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

const DAY_MS = 86_400_000;

/** A campaign of its own with a run that had these links. */
async function setup(links: string[] = ['/a', '/b', '/c']) {
  const campaign = `news${++campaigns}`;
  const run = `${campaign}--20261124T100000Z`;
  const clicks = new Clicks(test, { prefix: test.prefix, retentionMs: DAY_MS });
  await clicks.register(run, links);
  const base = `${test.prefix}:1:{links:${campaign}}`;
  /** Lets the visits so far be over: their first clicks were long ago. */
  const endVisits = async (): Promise<void> => {
    for (const visit of await test.redis.zrange(`${base}:visits`, '0', '-1'))
      await test.redis.zadd(`${base}:visits`, '1', visit);
  };
  const read = async (ofRun = run) => {
    await endVisits();
    return clicks.read(ofRun);
  };
  const click = (link: string, visitor: string | undefined = 'jane') =>
    clicks.count({ campaign, link, visitor });
  return { base, campaign, click, clicks, read, run };
}

describe('clicks', () => {
  it('are counted by link and hour, and people once', async () => {
    const { click, read } = await setup();
    for (const visitor of ['jane', 'john', 'jane']) await click('/a', visitor);
    await click('/b', 'jim');
    const { human, rows, scanner, unique } = await read();
    expect({ human, scanner, unique }).toEqual({ human: 4, scanner: 0, unique: 3 });
    const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
    expect(rows).toEqual([
      { link: '/a', hour, human: 3, scanner: 0 },
      { link: '/b', hour, human: 1, scanner: 0 },
    ]);
    expect(clicksBy('hour', rows)).toEqual([{ link: undefined, hour, human: 4, scanner: 0 }]);
  });

  it('of known scanners are counted beside, at once', async () => {
    const { clicks, campaign, run } = await setup();
    await clicks.count({ campaign, link: '/a', visitor: undefined });
    expect(await clicks.read(run)).toMatchObject({ human: 0, scanner: 1, unique: 0 });
  });

  it('on all links of a mail within seconds are a scanner, that a person came from the same place later is not', async () => {
    const { click, read } = await setup();
    for (const link of ['/a', '/b', '/c']) await click(link, 'gateway');
    await click('/a', 'jane');
    await click('/b', 'jane');
    expect(await read()).toMatchObject({ human: 2, scanner: 3, unique: 1 });
    await click('/b', 'gateway');
    expect(await read()).toMatchObject({ human: 3, scanner: 3, unique: 2 });
  });

  it('on the only link of a mail are a person, however often', async () => {
    const { click, read } = await setup(['/a']);
    for (let n = 0; n < 5; n++) await click('/a');
    expect(await read()).toMatchObject({ human: 5, scanner: 0, unique: 1 });
  });

  it('without end are no person: what a visit takes up is bounded', async () => {
    const { base, click, read } = await setup(['/a']);
    for (let n = 0; n < 500; n++) await click('/a');
    const [noted = ''] = await test.redis.hvals(`${base}:visited`);
    expect(noted.length).toBeLessThan(2_100);
    const { human, scanner } = await read();
    expect(human + scanner).toBe(500);
    expect(scanner).toBeGreaterThan(250);
  });

  it('belong to the newest run that had the link, or to the run that the link names', async () => {
    const { campaign, click, clicks, read, run } = await setup(['/a', '/old']);
    const newer = `${campaign}--20261125T100000Z`;
    await clicks.register(newer, ['/a', '/new']);
    await click('/a', 'v1');
    await click('/old', 'v2');
    await click('/neither', 'v3');
    await clicks.count({ campaign, link: '/a', visitor: 'v4', run });
    expect((await read(run)).rows.map(({ link, human }) => [link, human])).toEqual([
      ['/a', 1],
      ['/old', 1],
    ]);
    expect((await read(newer)).rows.map(({ link, human }) => [link, human])).toEqual([
      [undefined, 1],
      ['/a', 1],
    ]);
  });

  it('on links that were never sent are one number, whatever anybody tries', async () => {
    const { base, click, read } = await setup();
    for (let n = 0; n < 300; n++) await click(`/made-up/${n}`, `visitor${n}`);
    expect((await read()).rows).toMatchObject([{ link: undefined, human: 300 }]);
    expect(await test.redis.hlen(`${base}:${`news${campaigns}`}--20261124T100000Z:clicks`)).toBe(1);
  });

  it('of a campaign that has sent nothing are not counted', async () => {
    const { clicks } = await setup();
    expect(await clicks.count({ campaign: 'unknown', link: '/a', visitor: 'jane' })).toBe(false);
    expect(await findKeys(test.redis, `${test.prefix}:1:{links:unknown}*`)).toEqual([]);
  });
});

it('a run keeps so many links by name, the first ones', async () => {
  const { base, click, clicks, read, run } = await setup();
  await clicks.register(
    run,
    Array.from({ length: 2_000 }, (_, n) => `/${n}`),
  );
  await clicks.register(run, ['/one-more']);
  expect(await test.redis.hlen(`${base}:${run}:links`)).toBe(1_000);
  await click('/5');
  await click('/1999');
  expect((await read()).rows.map(({ link }) => link)).toEqual([undefined, '/5']);
});

it('nothing of it says who clicked, and all of it has an end', async () => {
  const { base, click, read, run } = await setup();
  for (const visitor of ['jane', 'john']) await click('/a', visitor);
  await read();
  const keys = await findKeys(test.redis, `${base.replace(/[{}]/g, '?')}*`);
  expect(keys.sort()).toEqual(
    [':clicks', ':links', ':visitors']
      .map((name) => `${base}:${run}${name}`)
      .concat(`${base}:runs`)
      .sort(),
  );
  for (const key of keys.filter((name) => !name.endsWith(':runs')))
    expect(await test.redis.pttl(key), key).toBeGreaterThan(DAY_MS - 60_000);
});
