/**
 * Data of earlier versions under this one: a run that was paused in the middle goes to its end, and nobody who was served
 * before gets a second mail. `WRITE_FIXTURE=yes npm test -- tests/upgrade` adds the data of the present version, which is
 * to be done when their form changes.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { bringUpToDate, SCHEMA } from '@sendonce/shared/continuity';
import { closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { makeCampaignDir, makeCsv, openTestRedis, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';
import { System } from '../e2e/system.js';

const FIXTURES = fileURLToPath(new URL('./fixtures/', import.meta.url));
const PREFIX = 'upgrade';
const RECIPIENTS = 1_200;

interface StoredKey {
  key: string;
  /** ms; -1: none. */
  ttl: number;
  /** What DUMP said. */
  dump: string;
}

interface Fixture {
  schema: number;
  run: string;
  sent: number;
  keys: StoredKey[];
}

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup() {
  const redis = await startRedis({ dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-e2e-')), 'redis') });
  cleanups.push(() => redis.stop());
  const logger = makeLogger('test', 'silent');
  const connection = connectRedis({ url: redis.url, name: 'test', logger });
  cleanups.push(() => closeRedis(connection));
  const start = async () => {
    const system = await System.start({
      campaignsDir: makeCampaignDir({ csv: makeCsv(RECIPIENTS) }),
      redisUrl: redis.url,
      prefix: PREFIX,
      env: { SES_MAX_RATE: '400' },
    });
    cleanups.push(() => system.stop());
    return system;
  };
  return { connection, start };
}

async function writeFixture(): Promise<void> {
  const { connection, start } = await setup();
  const system = await start();
  const worker = system.spawn('worker');
  const run = await system.startRun();
  await system.whenSent(run, 300);
  await system.sendonce('pause', run);
  await waitFor('claims to be settled', async () => (await system.runs.get(run)).numbers.claimed === 0);
  await system.kill(worker, 'SIGTERM');
  const { numbers } = await system.runs.get(run);
  const keys: StoredKey[] = [];
  for (const key of (await connection.keys(`*${PREFIX}*`)).sort()) {
    const dump = await connection.dumpBuffer(key);
    if (dump) keys.push({ key, ttl: await connection.pttl(key), dump: dump.toString('base64') });
  }
  const fixture: Fixture = { schema: SCHEMA, run, sent: numbers.sent, keys };
  writeFileSync(join(FIXTURES, `schema-${SCHEMA}.json.gz`), gzipSync(JSON.stringify(fixture)));
}

describe('the data of schema', () => {
  it.runIf(process.env.WRITE_FIXTURE === 'yes')('now are written down', writeFixture, 60_000);

  it('of this version are among those that are tried', () => {
    expect(existsSync(join(FIXTURES, `schema-${SCHEMA}.json.gz`))).toBe(true);
  });

  it.each(readdirSync(FIXTURES))(
    '%s go on under this version, and nobody is served twice',
    async (file) => {
      const fixture = JSON.parse(gunzipSync(readFileSync(join(FIXTURES, file))).toString()) as Fixture;
      const { connection, start } = await setup();
      for (const { key, ttl, dump } of fixture.keys)
        await connection.restore(key, Math.max(0, ttl), Buffer.from(dump, 'base64'));
      // Long ago.
      await connection.hset(`${PREFIX}:1:{continuity}`, 'at', 0);
      const system = await start();
      system.spawn('worker');
      // Nobody has touched these data for long, and nothing remembers them.
      await waitFor('the question', async () => (await system.sendonce('hold')).code === 1);
      expect((await system.inbox(fixture.run)).messages).toBe(0);
      await system.sendonce('hold', '--release', 'as-is');
      await system.sendonce('resume', fixture.run);
      const { numbers } = await system.whenFinished(fixture.run);
      expect(numbers).toMatchObject({ audience: RECIPIENTS, sent: RECIPIENTS, in_doubt: 0 });
      const rest = RECIPIENTS - fixture.sent;
      expect(await system.inbox(fixture.run)).toEqual({ messages: rest, recipients: rest, duplicates: 0 });
    },
    300_000,
  );
});

describe('bringing data up to date', () => {
  const key = (prefix: string) => `${prefix}:1:{continuity}`;

  it('takes each step once, in order, however many processes start', async () => {
    const test = await openTestRedis();
    cleanups.push(() => test.close());
    await test.redis.zadd(`${test.prefix}:1:runs`, 1, 'a-run');
    const steps: number[] = [];
    const migrations = [2, 3].map((to) => ({
      to,
      about: `to ${to}`,
      run: async () => void steps.push(to),
    }));
    await Promise.all([1, 2, 3].map(() => bringUpToDate(test, migrations)));
    expect(steps).toEqual([2, 3]);
    expect(await test.redis.hget(key(test.prefix), 'schema')).toBe('3');
    await expect(bringUpToDate(test, [])).rejects.toThrow(
      'The data in Redis are of schema 3, and this version knows 1',
    );
  });

  it('has nothing to do where there are none', async () => {
    const test = await openTestRedis();
    cleanups.push(() => test.close());
    const never = { to: 2, about: '', run: () => Promise.reject(new Error('there is nothing')) };
    await bringUpToDate(test, [never]);
    expect(await test.redis.hget(key(test.prefix), 'schema')).toBe('2');
  });
});
