/** Single messages over real HTTP. What they promise when dashboards die: singleMessages.test.ts, tests/e2e/messages.test.ts. */
import { makeLogger } from '@sendonce/shared/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Call, openApiServer } from '../testing/apiServer.js';
import { Message, Problem } from './schemas.js';

let server: Awaited<ReturnType<typeof openApiServer>>;
const lines: string[] = [];
beforeAll(async () => {
  server = await openApiServer({
    logger: makeLogger('test', 'trace', { destination: { write: (line) => void lines.push(line) } }),
  });
});
afterAll(() => server.stop());

const BODY = { template: 'receipt', to: 'jane@example.com', data: { first_name: 'Jane' } };

const send = (key: string, body: object = BODY, call: Call = {}) =>
  server.call('POST /messages', { ...call, headers: { 'idempotency-key': key }, body });
const get = (key: string, call: Call = {}) => server.call(`GET /messages/${encodeURIComponent(key)}`, call);
const message = async (response: Response) => Message.parse(await response.json());
const problem = async (response: Response) => Problem.parse(await response.json());

/** Settles the message of a key as a worker does. */
async function settle(key: string, event: 'accept' | 'reject' | 'doubt', detail: string): Promise<void> {
  const { run } = await message(await get(key));
  const chunks = (await server.runs.get(run)).chunks;
  const ref = { run, chunk: chunks - 1 };
  const { id } = await server.ledger.claim(ref, `claim of ${key}`, 1);
  await server.ledger.settle(ref, id, [{ position: 0, event, at: server.clock.now(), detail }]);
  if (event === 'accept') await server.outcomes.mark(ref, [{ position: 0, outcome: 'delivered' }]);
}

describe('a message', () => {
  it('is accepted once a key, with its place, and the rest are told of it', async () => {
    const { call, clock } = server;
    const first = await send('order 1/2');
    expect(first.status).toBe(202);
    expect(first.headers.get('location')).toBe('/api/v1/messages/order%201%2F2');
    const accepted = await message(first);
    expect(accepted).toEqual({
      key: 'order 1/2',
      template: 'receipt',
      status: 'queued',
      accepted_at: new Date(clock.now()).toISOString(),
      run: expect.stringMatching(/^receipt--/),
    });
    const again = await send('"order 1/2"');
    expect(again.status).toBe(200);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await message(again)).toEqual(accepted);
    expect(await message(await get('order 1/2'))).toEqual(accepted);
    expect(await (await call(`GET /runs/${accepted.run}`)).json()).toMatchObject({
      origin: 'messages',
      status: 'collecting',
      audience: 1,
      queued: 1,
    });
  });

  it('says what became of it', async () => {
    await send('sent');
    await settle('sent', 'accept', '0100-message-id');
    expect(await message(await get('sent'))).toMatchObject({
      status: 'sent',
      message_id: '0100-message-id',
      sent_at: new Date(server.clock.now()).toISOString(),
      outcomes: ['delivered'],
    });
    await send('rejected');
    await settle('rejected', 'reject', 'SES did not like it');
    expect(await message(await get('rejected'))).toMatchObject({
      status: 'rejected',
      reason: 'SES did not like it',
    });
    await send('in doubt');
    await settle('in doubt', 'doubt', 'time-out');
    const doubt = await message(await get('in doubt'));
    expect(doubt).toMatchObject({ status: 'in_doubt', reason: 'time-out' });
    expect(doubt).not.toHaveProperty('message_id');
  });

  it('of another client with the same key is another one', async () => {
    const key = server.addKey('messages');
    await send('whose');
    expect((await get('whose', { key })).status).toBe(404);
    expect((await send('whose', BODY, { key })).status).toBe(202);
  });

  it('is refused with every field that is wrong, before anything is kept', async () => {
    const refused = await send('unfit', { template: 'receipt', to: 'jane', data: { 'First name': 'Jane' } });
    expect(await problem(refused)).toMatchObject({
      type: '/api/v1/docs#unfit-message',
      status: 422,
      errors: [
        { pointer: '#/to' },
        { pointer: '#/data/First name', detail: expect.stringContaining('first_name') },
        { pointer: '#/data/first_name' },
      ],
    });
    expect(await problem(await get('unfit'))).toMatchObject({ type: '/api/v1/docs#unknown-message' });
    expect((await send('unfit')).status).toBe(202);
  });

  it.each([
    ['another address', { ...BODY, to: 'john@example.com' }, 409, 'other-message'],
    ['no template of the name', { ...BODY, template: 'nothing' }, 404, 'unknown-template'],
    ['a campaign', { ...BODY, template: 'news' }, 404, 'unknown-template'],
    ['broken files', { ...BODY, template: 'broken' }, 422, 'invalid-campaign'],
    ['an unknown member', { ...BODY, subject: 'x' }, 400, 'malformed-request'],
    ['data that are no object', { ...BODY, data: ['Jane'] }, 400, 'malformed-request'],
    [
      'more than a body may hold',
      { ...BODY, data: { first_name: 'x'.repeat(20_000) } },
      413,
      'body-too-large',
    ],
  ])('with %s is a problem', async (what, body, status, type) => {
    if (status === 409) await send(what);
    const refused = await problem(await send(what, body));
    expect(refused).toMatchObject({ status, type: `/api/v1/docs#${type}` });
  });

  it('needs a key, and its template is not run', async () => {
    const keyless = await server.call('POST /messages', { body: BODY });
    expect(await problem(keyless)).toMatchObject({ status: 400, errors: [{ parameter: 'idempotency-key' }] });
    const run = await server.call('POST /campaigns/receipt/runs', { headers: { 'idempotency-key': 'run' } });
    expect(await problem(run)).toMatchObject({ status: 422, type: '/api/v1/docs#message-template' });
  });

  it('is refused for now while everything is held, and nothing is known of it', async () => {
    const { prefix, redis } = server;
    await redis.hset(`${prefix}:1:{continuity}`, 'held_at', 1, 'reason', 'older', 'data_at', 1);
    const refused = await send('held');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await problem(refused)).toMatchObject({ status: 503, type: '/api/v1/docs#busy' });
    await redis.hdel(`${prefix}:1:{continuity}`, 'held_at');
    expect((await send('held')).status).toBe(202);
  });
});

it('the log has a line a chunk, and no address', () => {
  const accepted = lines.filter((line) => line.includes('messages accepted'));
  expect(accepted.length).toBeGreaterThan(3);
  expect(JSON.parse(accepted[0] ?? '')).toMatchObject({ run: expect.any(String), chunk: 0, messages: 1 });
  expect(lines.join('')).not.toMatch(/@example\.com|Jane|order 1/);
});
