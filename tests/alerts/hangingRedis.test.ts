/** Alerts on a Redis that hangs for longer than anybody waits, and then goes on with what it was told before. */

import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAlerts } from '@sendonce/alerts';
import { closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it('errors that come while Redis hangs are counted once', async () => {
  const server = await startRedis({ dataDir: join(mkdtempSync(join(tmpdir(), 'alerts-')), 'redis') });
  cleanups.push(() => server.stop());
  const redis = connectRedis({ url: server.url, name: 'test', logger: makeLogger('test', 'silent') });
  cleanups.push(() => closeRedis(redis));
  const texts: string[] = [];
  const hook = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    texts.push((JSON.parse(body) as { text: string }).text);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(hook, 'listening');
  cleanups.push(() => hook.close());
  const webhookUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
  const { alerts, close } = openAlerts({ webhookUrl, redisUrl: server.url, intervalsMs: [1] });
  await redis.ping();
  const once7 = () => {
    for (let n = 0; n < 7; n++) alerts.take({ fingerprint: 'x', title: 'x', detail: '', source: 'here' });
  };
  const sum = () =>
    texts
      .flatMap((text) => [...text.matchAll(/How often\s+(\d+) now/g)])
      .reduce((all, [, count]) => all + Number(count), 0);
  once7();
  await alerts.flush();
  // What came before the connection was up is counted there with the next look.
  await waitFor('the key, shared', async () => {
    await alerts.flush();
    return (await redis.exists('{alerts}')) === 1;
  });
  // Writes wait, as they do on a disk that hangs; what is read is answered.
  await redis.client('PAUSE', 4_000, 'WRITE');
  once7();
  await alerts.flush();
  expect(sum()).toBe(14);
  // Goes through once the pause is over, after what was waiting.
  await redis.set('after', 1);
  once7();
  await alerts.flush();
  await close();
  expect(sum()).toBe(21);
});
