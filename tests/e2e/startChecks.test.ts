/** What a worker refuses to start on: a Redis that forgets, and clocks that disagree. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDurability } from '@sendonce/shared/ledger';
import { closeRedis, connectRedis, makeLogger, systemClock } from '@sendonce/shared/runtime';
import { assertClocksAgree, readClockSkew, SesClient } from '@sendonce/shared/ses';
import { makeCampaignDir, openTestRedis } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';
import { System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function redisWith(...args: string[]) {
  const server = await startRedis({
    dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-e2e-')), 'redis'),
    args,
  });
  cleanups.push(() => server.stop());
  const redis = connectRedis({ url: server.url, name: 'test', logger: makeLogger('test', 'silent') });
  cleanups.push(() => closeRedis(redis));
  return { url: server.url, redis };
}

describe('durability', () => {
  it.each([
    [['--appendonly', 'yes', '--appendfsync', 'always'], 'every-write', false],
    [['--appendonly', 'yes', '--appendfsync', 'everysec'], 'every-second', false],
    [['--appendonly', 'yes', '--appendfsync', 'no'], 'none', false],
    [['--appendonly', 'no'], 'none', false],
    [['--maxmemory-policy', 'allkeys-lru'], 'every-write', true],
  ])('of %j is %s', async (args, guarantee, evicts) => {
    const { redis } = await redisWith(...args);
    expect(await readDurability(redis)).toMatchObject({ guarantee, evicts });
  });

  it('none is refused by a worker, unless it is told that this is all right', async () => {
    const { url } = await redisWith('--appendonly', 'no');
    const system = await System.start({ campaignsDir: makeCampaignDir({}), redisUrl: url });
    cleanups.push(() => system.stop());
    const [code] = await once(system.spawn('worker'), 'exit');
    expect(code).toBe(2);

    const tolerant = await System.start({
      campaignsDir: makeCampaignDir({}),
      redisUrl: url,
      env: { ALLOW_VOLATILE_REDIS: 'yes' },
    });
    cleanups.push(() => tolerant.stop());
    tolerant.spawn('worker');
    await tolerant.whenFinished(await tolerant.startRun());
  });
});

describe('clocks', () => {
  async function skewOf(sesAheadMs: number) {
    const server = createServer((_, response) => {
      response.setHeader('date', new Date(Date.now() + sesAheadMs).toUTCString());
      response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' }).end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { redis, close } = await openTestRedis();
    cleanups.push(close, async () => server.close());
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    process.env.AWS_ACCESS_KEY_ID ??= 'local';
    process.env.AWS_SECRET_ACCESS_KEY ??= 'local';
    const ses = new SesClient({ region: 'us-east-1', endpoint, timeoutMs: 2_000 });
    return readClockSkew({ redis, ses, clock: systemClock });
  }

  it('that agree are fine, also when SES refuses the question', async () => {
    const skew = await skewOf(0);
    expect(Math.abs(skew.sesMs ?? Number.NaN)).toBeLessThan(2_000);
    expect(() => assertClocksAgree(skew)).not.toThrow();
  });

  it.each([-120_000, 120_000])('that are %i ms apart are refused', async (aheadMs) => {
    const skew = await skewOf(aheadMs);
    expect(() => assertClocksAgree(skew)).toThrow(
      /SES's clock is (119|120|121) s (ahead of|behind) that of Redis/,
    );
  });

  it('of Redis and this machine are compared, too', () => {
    expect(() => assertClocksAgree({ redisMs: -61_000 })).toThrow('The clock of Redis is 61 s behind');
    expect(() => assertClocksAgree({ redisMs: 10, reason: 'away' })).not.toThrow();
  });
});
