/** What `sendonce doctor` finds on real servers, one fault at a time: what, why it matters, what mends it. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { makeCampaignDir, makeCsv } from '@sendonce/shared/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';
import { System } from './system.js';

interface Finding {
  check: string;
  verdict: 'ok' | 'warning' | 'error';
  detail: string;
  why: string;
  mend?: string;
}

let system: System;
beforeAll(async () => {
  const tomorrow = new Date(Date.now() + 3_600_000).toISOString();
  const campaignsDir = makeCampaignDir({
    csv: makeCsv(120),
    settings: `schedule: { at: "${tomorrow}" }\n`,
  });
  system = await System.start({ campaignsDir });
  await system.startDashboardPorts();
});
afterAll(() => system?.stop());

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function doctor(env: Record<string, string> = {}) {
  const { code, out, err } = await system.sendonceWith(env, 'doctor', '--json');
  const findings = out ? (JSON.parse(out) as Finding[]) : [];
  return {
    code,
    err,
    findings,
    about: (check: string) => findings.find((finding) => finding.check === check),
  };
}

async function put(path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await fetch(`${system.sesUrl}${path}`, { method: 'PUT', headers, body: JSON.stringify(body) });
}

it('says of every check why it matters, and ends with 0 when nothing is wrong', async () => {
  const { code, findings } = await doctor();
  expect(findings.filter(({ verdict }) => verdict === 'error')).toEqual([]);
  expect(code).toBe(0);
  for (const { check, why } of findings) expect(why, check).toMatch(/.{20,}\.$/);
  expect(findings.map(({ check }) => check)).toEqual([
    'Redis',
    'Redis durability',
    'Redis memory',
    'Data',
    'SES',
    'SES sending',
    'SES sandbox',
    'Clocks',
    'Configuration set sendonce',
    'SES events',
    'Sender dif.io',
    'Alerts',
    'Links to unsubscribe',
    'Public URL',
    'Campaign files',
    'Quota for the next 24 hours',
  ]);
});

it('ends with 2 when the settings are wrong or Redis is away', async () => {
  expect((await doctor({ FENCE_SECONDS: 'soon' })).code).toBe(2);
  expect((await doctor({ REDIS_URL: 'redis://127.0.0.1:1' })).code).toBe(2);
});

describe('alerts', () => {
  it('that nobody gets are told of, and so is a sender that SES has not verified', async () => {
    expect((await doctor()).about('Alerts')).toMatchObject({
      verdict: 'warning',
      detail: 'nobody is told when something goes wrong',
    });
    const { about } = await doctor({ ADMINS: 'Ops <ops@example.com>', SERVER_EMAIL: 'server@dif.io' });
    expect(about('Alerts')).toMatchObject({ verdict: 'ok', detail: 'go to one administrator' });
    expect(about('Alerts without SES')).toMatchObject({ verdict: 'warning' });
  });
});

describe('Redis', () => {
  async function redisWith(...args: string[]): Promise<string> {
    const dataDir = join(mkdtempSync(join(tmpdir(), 'sendonce-e2e-')), 'redis');
    const server = await startRedis({ dataDir, args });
    cleanups.push(() => server.stop());
    return server.url;
  }

  it('that forgets is an error, with the command that mends it', async () => {
    const { code, about } = await doctor({ REDIS_URL: await redisWith('--appendonly', 'no') });
    expect(code).toBe(1);
    expect(about('Redis durability')).toMatchObject({
      verdict: 'error',
      mend: expect.stringContaining('redis-cli CONFIG SET appendonly yes'),
    });
  });

  it('that is nearly full is one, too', async () => {
    const url = await redisWith('--maxmemory', '16mb');
    const redis = connectRedis({ url, name: 'test', logger: makeLogger('test', 'silent') });
    cleanups.push(() => closeRedis(redis));
    for (let index = 0; index < 105; index++) await redis.set(`ballast-${index}`, Buffer.alloc(100_000));
    const { code, about } = await doctor({ REDIS_URL: url });
    expect(about('Redis memory')).toMatchObject({
      verdict: 'warning',
      detail: expect.stringMatching(/% of maxmemory/),
      mend: expect.stringContaining('redis-cli CONFIG SET maxmemory'),
    });
    expect(code).toBe(0);
  });
});

describe('the account', () => {
  it('whose quota is too small for what is due is told by numbers', async () => {
    await put('/control/account', { max24HourSend: 100 });
    cleanups.push(() => put('/control/account', { max24HourSend: 50_000_000 }));
    // A prefix of its own: what workers were told a minute ago is still true for them.
    const { code, about } = await doctor({ REDIS_PREFIX: `${system.prefix}-quota` });
    expect(about('Quota for the next 24 hours')).toMatchObject({
      verdict: 'warning',
      detail: '120 recipients are due, the quota has room for 100; most of them by news (120)',
    });
    expect(code).toBe(0);
  });

  it('that is suspended or in the sandbox is told', async () => {
    await put('/control/account', { enforcementStatus: 'SHUTDOWN', productionAccessEnabled: false });
    cleanups.push(() =>
      put('/control/account', { enforcementStatus: 'HEALTHY', productionAccessEnabled: true }),
    );
    const { code, about } = await doctor();
    expect(about('SES sending')).toMatchObject({ verdict: 'error', detail: 'suspended by AWS' });
    expect(about('SES sandbox')).toMatchObject({ verdict: 'warning' });
    expect(code).toBe(1);
  });

  it('whose sender or configuration set is not set up is told', async () => {
    await put('/control/identities', { 'dif.io': 'FAILED' });
    cleanups.push(() => put('/control/identities', { 'dif.io': 'SUCCESS' }));
    const { about } = await doctor({ SES_CONFIGURATION_SET: 'nonesuch' });
    expect(about('Sender dif.io')).toMatchObject({ verdict: 'error' });
    expect(about('Configuration set nonesuch')).toMatchObject({ detail: 'there is no such set' });
  });
});

describe('the public URL', () => {
  /** A proxy in front of the dashboard that does something to requests. */
  async function proxy(
    change: (request: IncomingMessage) => { path?: string; method?: string; host?: string },
  ) {
    const { port } = new URL(system.publicUrl);
    const server = createServer((request, response) => {
      const { path = request.url, method = request.method, host = request.headers.host } = change(request);
      const onward = httpRequest({ port, path, method, headers: { ...request.headers, host } }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const publicUrl = async (env: Record<string, string>) => (await doctor(env)).about('Public URL');

  it('is fine behind a proxy that leaves requests as they are', async () => {
    expect(await publicUrl({ PUBLIC_URL: await proxy(() => ({})) })).toMatchObject({ verdict: 'ok' });
  });

  it.each([
    ['cuts the query', ({ url = '' }: IncomingMessage) => ({ path: url.split('?')[0] ?? '' }), 'query'],
    ['decodes the path', ({ url = '' }: IncomingMessage) => ({ path: url.replace('%2F', '/') }), 'query'],
    ['forgets the host', () => ({ host: 'dashboard.internal' }), 'the host arrives as dashboard.internal'],
    ['makes a GET of a POST', () => ({ method: 'GET' }), 'it is not this dashboard that does'],
  ])('is told when a proxy %s', async (_, change, words) => {
    expect(await publicUrl({ PUBLIC_URL: await proxy(change) })).toMatchObject({
      verdict: 'warning',
      detail: expect.stringContaining(words),
      mend: expect.any(String),
    });
  });

  it('is told when it redirects, leads elsewhere, or to another installation', async () => {
    const server = createServer((_, response) => response.writeHead(301, { location: '/' }).end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    expect(await publicUrl({ PUBLIC_URL: `http://127.0.0.1:${port}` })).toMatchObject({
      detail: expect.stringContaining('redirects to /'),
    });
    expect(await publicUrl({ PUBLIC_URL: system.sesUrl })).toMatchObject({
      detail: expect.stringContaining('it is not this dashboard'),
    });
    expect(await publicUrl({ REDIS_PREFIX: `${system.prefix}-other` })).toMatchObject({
      detail: expect.stringContaining('another LINK_SECRET'),
    });
    expect(await publicUrl({ PUBLIC_URL: 'http://127.0.0.1:1' })).toMatchObject({
      detail: expect.stringContaining("can't be reached"),
    });
  });
});

it('campaign files with a problem are an error, with the first of them', async () => {
  const { code, about } = await doctor({ CAMPAIGNS_DIR: makeCampaignDir({ yaml: 'form: x\n' }) });
  expect(code).toBe(1);
  expect(about('Campaign files')).toMatchObject({ verdict: 'error', mend: 'npm run sendonce -- validate' });
});
