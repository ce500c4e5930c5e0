/** The API over real HTTP, on a real Redis. Dashboards that are killed are in tests/e2e/api.test.ts. */
import { API_SCOPES, makeLogger } from '@sendonce/shared/runtime';
import { findKeys, removeKeys } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiServer } from '../testing/apiServer.js';
import { allOperations } from './api.js';
import { Problem, Run } from './schemas.js';

type Server = Awaited<ReturnType<typeof openApiServer>>;
type Body = Record<string, unknown>;

let server: Server;
const lines: string[] = [];
beforeAll(async () => {
  server = await openApiServer({
    logger: makeLogger('test', 'trace', { destination: { write: (line) => void lines.push(line) } }),
  });
});
afterAll(() => server.stop());

const json = async (response: Response) => (await response.json()) as Body;

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

describe('the keys', () => {
  it('are needed for everything but the document, and their scopes for what they say', async () => {
    const { call, addKey } = server;
    const scopes = API_SCOPES;
    const keys = Object.fromEntries(scopes.map((scope) => [scope, addKey(scope)]));
    for (const { method, url, scope } of allOperations(server, server.config)) {
      const line = `${method.toUpperCase()} ${url.replace(/\{\w+\}/g, 'x')}`;
      const without = await call(line, { key: null });
      expect(without.status, line).toBe(401);
      expect(without.headers.get('www-authenticate')).toBe('Bearer realm="sendonce"');
      for (const [has, key] of Object.entries(keys)) {
        const response = await call(line, { key });
        if (has === scope) expect([401, 403], line).not.toContain(response.status);
        else {
          expect(response.status, line).toBe(403);
          expect(response.headers.get('www-authenticate')).toContain(`scope="${scope}"`);
          expect(await problemOf(response)).toMatchObject({ scope });
        }
        await response.arrayBuffer().catch(() => undefined);
      }
    }
    for (const path of ['/docs', '/openapi.json'])
      expect((await call(`GET ${path}`, { key: null })).status).toBe(200);
    expect((await call('GET /nothing', { key: null })).status).toBe(401);
  });

  it('are taken from the header and from nowhere else', async () => {
    const { call, addKey } = server;
    const key = addKey('read');
    expect((await call('GET /runs', { key: null, headers: { authorization: `bearer ${key}` } })).status).toBe(
      200,
    );
    const others: [string, Record<string, string>][] = [
      ['/runs', { authorization: key }],
      ['/runs', { authorization: `Basic ${Buffer.from(`x:${key}`).toString('base64')}` }],
      ['/runs', { cookie: `key=${key}` }],
      ['/runs', { 'x-api-key': key }],
      [`/runs?key=${key}`, {}],
      ['/runs', { authorization: `Bearer ${key}x` }],
      ['/runs', { authorization: 'Bearer so_' }],
    ];
    for (const [path, headers] of others)
      expect((await call(`GET ${path}`, { key: null, headers })).status).toBe(401);
    const wrong = await call('GET /runs', { key: `${key.slice(0, -1)}_` });
    expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(wrong.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('are slowed down each by itself; wrong ones by their address, and never a right one with them', async () => {
    const slow = await openApiServer({ limits: { ofKey: 3, messagesOfKey: 4, failures: 2 } });
    const [first, second] = [slow.addKey('read', 'messages'), slow.addKey('read')];
    const statuses = async (key: string, times: number, line = 'GET /runs') => {
      const all: number[] = [];
      for (let time = 0; time < times; time++) all.push((await slow.call(line, { key })).status);
      return all;
    };
    expect(await statuses('so_wrong', 4)).toEqual([401, 401, 429, 429]);
    expect(await statuses(first, 5)).toEqual([200, 200, 200, 429, 429]);
    expect(await statuses(second, 1)).toEqual([200]);
    // Messages are many, and counted apart.
    expect(await statuses(first, 5, 'GET /messages/x')).toEqual([404, 404, 404, 404, 429]);
    const refused = await slow.call('GET /runs', { key: first });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit')).toContain('"key"');
    expect(await problemOf(refused)).toMatchObject({ type: '/api/v1/docs#too-many-requests' });
    await slow.stop();
  });
});

describe('starting a run', () => {
  it('is done once a key, and says so', async () => {
    const { start, clock } = server;
    const first = await start('once');
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const run = Run.parse(await first.json());
    expect(run).toMatchObject({ campaign: 'news', origin: 'api', status: 'freezing' });
    expect(first.headers.get('location')).toBe(`/api/v1/runs/${run.run}`);
    clock.advance(25 * 3_600_000);
    for (const key of ['once', '"once"']) {
      const again = await start(key);
      expect(again.status).toBe(200);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(await again.json()).toMatchObject({ run: run.run });
    }
    expect(((await json(await start('another'))) as Body).run).not.toBe(run.run);
  });

  it('for a named time is the run of that time, in whichever zone it is said', async () => {
    const { start } = server;
    const first = await start('timed', { scheduled_at: '2026-11-20T10:00:00Z' });
    expect(await json(first)).toMatchObject({ run: 'news--20261120T100000Z' });
    expect((await start('timed', { scheduled_at: '2026-11-20T11:00:00+01:00' })).status).toBe(200);
    const other = await start('timed too', { scheduled_at: '2026-11-20T10:00:00Z' });
    expect([other.status, other.headers.get('idempotency-replayed')]).toEqual([200, null]);
    expect((await start('timed', { scheduled_at: '2026-11-20T10:00:01Z' })).status).toBe(422);
    expect(await problemOf(await start('timed'))).toMatchObject({ type: '/api/v1/docs#key-reused' });
  });

  it('is refused for the future, and for a time that nobody remembers', async () => {
    const { start, clock } = server;
    for (const ms of [120_000, -91 * 86_400_000]) {
      const scheduled_at = new Date(clock.now() + ms).toISOString();
      const problem = await problemOf(await start(`at ${ms}`, { scheduled_at }));
      expect(problem).toMatchObject({ status: 422, type: '/api/v1/docs#invalid-time' });
    }
  });

  it('of a campaign that is wrong is answered with the places, and of none with 404', async () => {
    const { call } = server;
    const headers = { 'idempotency-key': 'broken' };
    const problem = await problemOf(await call('POST /campaigns/broken/runs', { headers }));
    expect(problem).toMatchObject({ status: 422, type: '/api/v1/docs#invalid-campaign' });
    expect(problem.problems).toEqual([
      expect.objectContaining({ file: 'broken/body.txt', line: 1, campaign: 'broken' }),
    ]);
    for (const name of ['none', '..%2Fnews', 'a%2Fb'])
      expect((await call(`POST /campaigns/${name}/runs`, { headers })).status, name).toBe(404);
  });
});

describe('what is malformed', () => {
  const idempotency = { 'idempotency-key': 'malformed' };
  const START = 'POST /campaigns/news/runs';

  it.each([
    ['no idempotency key', START, {}, 400],
    ['an empty one', START, { headers: { 'idempotency-key': '' } }, 400],
    ['a long one', START, { headers: { 'idempotency-key': 'x'.repeat(256) } }, 400],
    ['broken JSON', START, { headers: idempotency, body: '{"scheduled_at":' }, 400],
    ['JSON that is no object', START, { headers: idempotency, body: '[]' }, 400],
    ['JSON that is a text', START, { headers: idempotency, body: '"x"' }, 400],
    ['an unknown field', START, { headers: idempotency, body: { at: '2026-11-20T10:00:00Z' } }, 400],
    [
      'a time without its zone',
      START,
      { headers: idempotency, body: { scheduled_at: '2026-11-20T10:00:00' } },
      400,
    ],
    ['a large body', START, { headers: idempotency, body: { scheduled_at: 'x'.repeat(17_000) } }, 413],
    [
      'a form',
      START,
      { headers: { ...idempotency, 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=b' },
      415,
    ],
    [
      'a compressed body',
      START,
      { headers: { ...idempotency, 'content-encoding': 'gzip' }, body: '{}' },
      415,
    ],
    [
      'another charset',
      START,
      { headers: { ...idempotency, 'content-type': 'application/json; charset=latin1' }, body: '{}' },
      415,
    ],
    ['a limit that is no number', 'GET /runs?limit=many', {}, 400],
    ['a limit that is too high', 'GET /runs?limit=101', {}, 400],
    ['two limits', 'GET /runs?limit=1&limit=2', {}, 400],
    ['an unknown parameter', 'GET /runs?page=2', {}, 400],
    ['a page that is none', 'GET /runs?before=news--20200101T000000Z', {}, 400],
    ['an unknown run', 'GET /runs/news--20200101T000000Z', {}, 404],
    ['a run that can be none', 'GET /runs/a%7Db', {}, 404],
    ['an unknown run to pause', 'POST /runs/news--20200101T000000Z/pause', {}, 404],
    ['a broken path', 'GET /runs/%E0%A4%A', {}, 400],
    ['an unknown path', 'GET /campaigns/news/people', {}, 404],
    ['a method that is not there', 'DELETE /runs', {}, 405],
    ['an address that is none', 'PUT /suppressions/nobody', { body: {} }, 400],
    ['a reason that is none', 'PUT /suppressions/a@example.com', { body: { reason: 'spite' } }, 400],
    ['no entries', 'POST /suppressions', {}, 400],
    [
      'too many',
      'POST /suppressions',
      { body: { entries: Array(101).fill({ address: 'a@example.com' }) } },
      400,
    ],
  ])('is refused: %s', async (_, line, call, status) => {
    const before = (await server.runs.list(100)).length;
    const response = await server.call(line, call);
    expect(response.status).toBe(status);
    await problemOf(response);
    expect(await server.runs.list(100)).toHaveLength(before);
  });

  it('is named by its place', async () => {
    const entries = [{ address: 'a@example.com' }, { address: 'not an address' }];
    const problem = await problemOf(await server.call('POST /suppressions', { body: { entries, more: 1 } }));
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(['#/entries/1/address', '#']);
    expect(JSON.stringify(problem)).not.toContain('not an address');
    expect(await server.suppressions.find('a@example.com')).toEqual([]);
    const refused = await server.call('DELETE /suppressions');
    expect(refused.headers.get('allow')).toBe('GET, POST');
  });
});

describe('runs', () => {
  it('are listed in pages, of all campaigns or of one', async () => {
    const { call, start, clock } = server;
    for (let index = 0; index < 5; index++) {
      clock.advance(60_000);
      await start(`page ${index}`);
    }
    const all = (await server.runs.list(100)).map(({ id }) => id);
    const seen: unknown[] = [];
    let before = '';
    do {
      const page = await json(await call(`GET /runs?campaign=news&limit=2${before && `&before=${before}`}`));
      seen.push(...(page.runs as Body[]).map(({ run }) => run));
      before = (page.before as string | undefined) ?? '';
    } while (before);
    expect(seen).toEqual(all);
    expect(await json(await call('GET /runs?campaign=none'))).toEqual({ runs: [] });
    const campaigns = await json(await call('GET /campaigns'));
    expect(campaigns).toMatchObject({
      campaigns: [{ campaign: 'news', cron: '0 10 * * *', timezone: 'UTC' }, { campaign: 'receipt' }],
      problems: [{ campaign: 'broken', file: 'broken/body.txt' }],
    });
  });

  it('are paused, resumed and cancelled, and a second time is answered with what is', async () => {
    const { call, start } = server;
    const { run } = await json(await start('controlled'));
    const control = (verb: string, body: object = {}) => call(`POST /runs/${run}/${verb}`, { body });
    expect((await control('resume')).status).toBe(409);
    expect(await json(await control('pause', { reason: 'lunch' }))).toMatchObject({
      status: 'paused',
      pause_reason: 'lunch',
      pause_cause: 'operator',
    });
    const again = await problemOf(await control('pause'));
    expect(again).toMatchObject({ status: 409, detail: 'It is paused: nothing to pause.', run: { run } });
    expect(await json(await control('resume'))).toMatchObject({ status: 'freezing' });
    expect((await control('pause', { reason: 'for jane@example.com' })).status).toBe(400);
    expect(await json(await control('pause'))).toMatchObject({ pause_reason: 'by the API key client0' });
    expect(await json(await control('cancel'))).toMatchObject({ status: 'cancelled' });
    for (const verb of ['pause', 'resume', 'cancel']) expect((await control(verb)).status).toBe(409);
    expect(Run.parse(await (await call(`GET /runs/${run}`)).json())).toMatchObject({ run });
  });
});

describe('suppressions', () => {
  it('are put, looked up and taken off, one address at a time', async () => {
    const { call } = server;
    const path = `/suppressions/${encodeURIComponent('Jane+News@Example.com')}`;
    expect((await call(`GET ${path}`)).status).toBe(404);
    const put = await call(`PUT ${path}`, { body: { campaign: 'news', reason: 'unsubscribe' } });
    expect(put.status).toBe(201);
    expect((await call(`PUT ${path}`, { body: { campaign: 'news' } })).status).toBe(200);
    expect((await call(`PUT ${path}`)).status).toBe(201);
    expect(await json(await call(`GET ${path}`))).toMatchObject({
      address: 'jane+news@example.com',
      entries: [
        { campaign: 'news', reason: 'manual' },
        { campaign: '*', reason: 'manual' },
      ],
    });
    expect((await call(`DELETE ${path}`)).status).toBe(204);
    expect((await call(`DELETE ${path}`)).status).toBe(404);
    expect((await call(`DELETE ${path}?campaign=news`)).status).toBe(204);
    expect((await call(`GET ${path}`)).status).toBe(404);
    await call('DELETE /suppressions/a@example.com');
  });

  it('are added by the hundred, and read as lines', async () => {
    const { call } = server;
    const entries = Array.from({ length: 100 }, (_, index) => ({ address: `reader${index}@example.com` }));
    expect(await json(await call('POST /suppressions', { body: { entries } }))).toMatchObject({ added: 100 });
    expect(await json(await call('POST /suppressions', { body: { entries } }))).toMatchObject({ known: 100 });
    const response = await call('GET /suppressions');
    expect(response.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
    const list = (await response.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Body);
    expect(list).toHaveLength(100);
    expect(list[0]).toMatchObject({ campaign: '*', reason: 'manual', time: expect.any(String) });
    expect((await call('HEAD /suppressions')).status).toBe(200);
  });
});

describe('a list that is read', () => {
  it('may be left in the middle, and is a problem when it can not be read at all', async () => {
    const { call, redis, prefix, suppressions, clock } = server;
    const since = new Date(clock.now());
    const addresses = Array.from({ length: 20_000 }, (_, index) => `list${index}@example.com`);
    await suppressions.addMany(
      addresses.map((address) => ({ address, scope: '*', reason: 'manual' as const, since })),
    );
    const leaving = await call('GET /suppressions');
    const reader = leaving.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect((await (await call('GET /suppressions')).text()).match(/list\d+@/g)).toHaveLength(20_000);
    await removeKeys(redis, `${prefix}:1:{suppressed/*`);
    await redis.set(`${prefix}:1:{suppressed/0}:0`, 'no hash');
    expect(await problemOf(await call('GET /suppressions'))).toMatchObject({ status: 503 });
    await redis.unlink(`${prefix}:1:{suppressed/0}:0`);
    expect(await (await call('GET /suppressions')).text()).toBe('');
    expect(lines.filter((line) => line.includes('listSuppressions'))).toHaveLength(1);
  });
});

describe('the log', () => {
  it('holds no address, whatever goes wrong with one', async () => {
    const { call, redis, prefix } = server;
    await call('PUT /suppressions/jane@example.com', { body: {} });
    await call('GET /suppressions/%E0jane@example.com');
    // Any command on the address's hash fails from here on, and ioredis's error has the command's arguments.
    const keys = await findKeys(redis, `${prefix}:1:{suppressed/*`);
    for (const key of keys) await redis.set(key, 'no hash');
    for (const line of ['GET', 'PUT', 'DELETE'])
      expect(
        (await call(`${line} /suppressions/jane@example.com`, line === 'PUT' ? { body: {} } : {})).status,
      ).toBe(503);
    await removeKeys(redis, `${prefix}:1:{suppressed/*`);
    expect(lines.join('')).toContain('"operation":"getSuppression"');
    expect(lines.join('')).not.toMatch(/@example\.com|so_/);
  });
});

it('what a key does is in the audit trail under its name, without addresses', async () => {
  const { addKey, audit, call, start } = server;
  const key = addKey('runs', 'suppressions');
  const { run } = (await (await start('for the trail')).json()) as { run: string };
  await call(`POST /runs/${run}/cancel`, { key, body: { reason: 'wrong prices' } });
  await call('PUT /suppressions/jane.doe@example.com', { key, body: {} });
  await call('DELETE /suppressions/jane.doe@example.com', { key });
  const deeds = (await audit.list({ limit: 4 })).reverse();
  expect(deeds.map(({ via, action, outcome, subject }) => [via, action, outcome, subject])).toEqual([
    ['api', 'campaign.run', 'done', 'news'],
    ['api', 'run.cancel', 'done', run],
    ['api', 'suppression.add', 'done', 'j…@example.com'],
    ['api', 'suppression.remove', 'done', 'j…@example.com'],
  ]);
  expect(deeds[1]).toMatchObject({ detail: 'wrong prices' });
});
