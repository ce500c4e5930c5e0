/** The client against servers that misbehave, over real HTTP. Against the real API it is in tests/client. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Sendonce, type SendonceOptions } from './sendonce.js';
import { SendonceError } from './sendonceError.js';

const KEY = 'so_7f3a-planted-key';
const RUN = { run: 'news--20261201T080000Z', status: 'sending' };

type Behaviour = (response: ServerResponse) => unknown;

const answer =
  (status: number, body: object | string = {}, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    const isProblem = status >= 400 && typeof body === 'object';
    const type = isProblem ? 'application/problem+json' : 'application/json';
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
const problem = (status: number, name: string, more: object = {}): Behaviour =>
  answer(status, { type: `/api/v1/docs#${name}`, title: `It is ${name}.`, status, ...more });
const reset: Behaviour = (response) => response.socket?.destroy();
const hang: Behaviour = () => undefined;
const breakOff =
  (text: string): Behaviour =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(text, () => response.socket?.destroy());
  };

interface Received {
  line: string;
  headers: IncomingHttpHeaders;
  body: string;
}

const cleanups: (() => unknown)[] = [];
beforeEach(() => {
  // Waits are somewhere between nothing and a limit: nothing.
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server that does one thing after the other, and the last for good. */
async function setup(behaviours: Behaviour[], options: Partial<SendonceOptions> = {}) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method, url, headers } = request;
    received.push({ line: `${method} ${url}`, headers, body: Buffer.concat(parts).toString() });
    (behaviours[received.length - 1] ?? behaviours.at(-1))?.(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { client: new Sendonce({ url, key: KEY, ...options }), received, url, server };
}

async function errorOf(promise: Promise<unknown>): Promise<SendonceError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SendonceError);
  return error as SendonceError;
}

describe('a run that is started', () => {
  it.each([
    ['a connection that is reset', reset],
    ['an answer that breaks off', breakOff('{"run":')],
    ['a server that never answers', hang],
    ['503', problem(503, 'unavailable')],
    ['429', problem(429, 'too-many-requests', {})],
    ['a proxy that reaches nobody', answer(502, '<html>Bad Gateway</html>', { 'content-type': 'text/html' })],
  ])('is asked for again after %s, with the same key', async (_, failure) => {
    const { client, received } = await setup([failure, answer(201, RUN)], { timeoutMs: 300 });
    const run = await client.startRun('news', { idempotencyKey: 'december' });
    expect(run).toEqual({ ...RUN, isNew: true });
    // More than two where this machine was slow.
    expect(received.length).toBeGreaterThanOrEqual(2);
    for (const again of received) expect(again).toEqual(received[0]);
    expect(received[0]).toMatchObject({
      line: 'POST /api/v1/campaigns/news/runs',
      headers: { 'idempotency-key': 'december', authorization: `Bearer ${KEY}` },
      body: '{}',
    });
  });

  it('is said to be no new one when it was there', async () => {
    const { client } = await setup([answer(200, RUN, { 'idempotency-replayed': 'true' })]);
    expect(await client.startRun('news', { idempotencyKey: 'december' })).toMatchObject({ isNew: false });
  });

  it('names its time as the API wants it', async () => {
    const { client, received } = await setup([answer(201, RUN)]);
    const scheduledAt = new Date('2026-11-01T09:00:00+01:00');
    await client.startRun('news', { idempotencyKey: 'november', scheduledAt });
    expect(received[0]?.body).toBe('{"scheduled_at":"2026-11-01T08:00:00.000Z"}');
  });

  it.each([
    [400, 'malformed-request'],
    [401, 'no-key'],
    [403, 'missing-scope'],
    [404, 'unknown-campaign'],
    [410, 'forgotten-run'],
    [422, 'key-reused'],
  ])('is not asked for again after %d', async (status, name) => {
    const { client, received } = await setup([problem(status, name, { detail: 'So it is.' })]);
    const error = await errorOf(client.startRun('news', { idempotencyKey: 'december' }));
    expect(error).toMatchObject({
      status,
      type: name,
      title: `It is ${name}.`,
      detail: 'So it is.',
      attempts: 1,
    });
    expect(error.message).toBe(`startRun: It is ${name}. So it is. (${status})`);
    expect(received).toHaveLength(1);
  });

  it('ends when nobody ever answers', async () => {
    const { client, received } = await setup([reset], { retries: 2 });
    const error = await errorOf(client.startRun('news', { idempotencyKey: 'december' }));
    expect(error).toMatchObject({ status: 0, type: 'about:blank', title: 'No answer came.', attempts: 3 });
    expect(received).toHaveLength(3);
  });

  it('ends with its caller, while it waits for an answer and while it waits for its next attempt', async () => {
    for (const behaviour of [hang, problem(429, 'too-many-requests', {})]) {
      vi.mocked(Math.random).mockReturnValue(1);
      const patience = new AbortController();
      const { client } = await setup([
        (response) => {
          behaviour(response);
          patience.abort(new Error('no time'));
        },
      ]);
      const asked = client.startRun('news', { idempotencyKey: 'december', signal: patience.signal });
      await expect(asked).rejects.toThrow('no time');
    }
  });
});

describe('what is done to a run', () => {
  const gone = { run: { ...RUN, status: 'cancelled' } };

  it('is done when an earlier attempt had no answer, and the run is as it was asked for', async () => {
    const { client, received } = await setup([reset, problem(409, 'wrong-state', gone)]);
    expect(await client.cancel(RUN.run, { reason: 'a wrong price' })).toEqual(gone.run);
    expect(received.map(({ line }) => line)).toEqual([
      `POST /api/v1/runs/${RUN.run}/cancel`,
      `POST /api/v1/runs/${RUN.run}/cancel`,
    ]);
  });

  it('is an error otherwise, with the run as it is', async () => {
    const { client } = await setup([problem(409, 'wrong-state', gone)]);
    expect((await errorOf(client.cancel(RUN.run))).problem?.run).toEqual(gone.run);
    const { client: other } = await setup([reset, problem(409, 'wrong-state', gone)]);
    expect(await errorOf(other.pause(RUN.run))).toMatchObject({ status: 409, attempts: 2 });
  });
});

describe('the list of runs', () => {
  it('is asked for page by page, as far as somebody reads', async () => {
    const pages = [
      answer(200, { runs: [{ run: 'c' }, { run: 'b' }], before: 'b' }),
      answer(200, { runs: [{ run: 'a' }] }),
    ];
    const { client, received } = await setup(pages);
    const runs: string[] = [];
    for await (const { run } of client.runs({ campaign: 'news', pageSize: 2 })) runs.push(run);
    expect(runs).toEqual(['c', 'b', 'a']);
    expect(received.map(({ line }) => line)).toEqual([
      'GET /api/v1/runs?campaign=news&limit=2',
      'GET /api/v1/runs?campaign=news&before=b&limit=2',
    ]);
    const again = await setup(pages);
    for await (const _ of again.client.runs()) break;
    expect(again.received).toHaveLength(1);
  });
});

describe('the suppression list', () => {
  it('gets any number of addresses, a hundred a request, and none of them in a path', async () => {
    const { client, received } = await setup([answer(200, { added: 1, known: 2, strengthened: 3 })]);
    const entries = Array.from({ length: 250 }, (_, index) => ({ address: `reader${index}@example.com` }));
    expect(await client.suppress(entries)).toEqual({ added: 3, known: 6, strengthened: 9 });
    const sent = received.flatMap(({ body }) => (JSON.parse(body) as { entries: object[] }).entries);
    expect(sent).toEqual(entries);
    expect(received.map(({ line }) => line)).toEqual(Array(3).fill('POST /api/v1/suppressions'));
  });

  it('does not have what was taken off it by an attempt without an answer', async () => {
    const { client, received } = await setup([reset, problem(404, 'unknown-suppression')]);
    await client.unsuppress('jane+x@example.com', { campaign: 'news' });
    expect(received[1]?.line).toBe('DELETE /api/v1/suppressions/jane%2Bx%40example.com?campaign=news');
    expect(await client.suppressed('jane@example.com')).toEqual([]);
    const { client: lost } = await setup([problem(404, 'unknown-path')]);
    expect(await errorOf(lost.unsuppress('jane@example.com'))).toMatchObject({ type: 'unknown-path' });
  });

  it('is read line by line, wherever the pieces are cut', async () => {
    const lines = Buffer.from('{"address":"ä@example.com"}\n{"address":"b@example.com"}\n');
    const { client } = await setup([
      async (response) => {
        for (const byte of lines) {
          response.write(Buffer.of(byte));
          await new Promise(setImmediate);
        }
        response.end();
      },
    ]);
    const addresses: string[] = [];
    for await (const { address } of client.suppressions()) addresses.push(address);
    expect(addresses).toEqual(['ä@example.com', 'b@example.com']);
  });

  it('is not taken for whole when the connection breaks', async () => {
    const { client, received } = await setup([reset, breakOff('{"address":"a@example.com"}\n{"addr')]);
    const addresses: string[] = [];
    const reading = async () => {
      for await (const { address } of client.suppressions()) addresses.push(address);
    };
    expect(await errorOf(reading())).toMatchObject({ status: 0 });
    expect(addresses).toEqual(['a@example.com']);
    expect(received).toHaveLength(2);
  });

  it('lets go of the connection when nobody reads on', async () => {
    const { client, server } = await setup([
      (response) => {
        const more = () => {
          if (!response.destroyed) response.write('{"address":"a@example.com"}\n', () => setImmediate(more));
        };
        more();
      },
    ]);
    const closed = new Promise((resolve) => server.on('connection', (socket) => socket.on('close', resolve)));
    for await (const _ of client.suppressions()) break;
    await closed;
  });
});

describe('the key', () => {
  it('is in no text of an error, and not in what is printed of a client', async () => {
    const { client, url } = await setup(
      [
        reset,
        answer(401, `<p>Bearer ${KEY}`, { 'content-type': 'text/html' }),
        answer(403, { type: 'x', title: `Bearer ${KEY}`, status: 403, detail: KEY }),
        answer(200, `no JSON, ${KEY}`),
        answer(302, '', { location: `http://127.0.0.1:1/${KEY}` }),
      ],
      { retries: 0 },
    );
    const loud = new Sendonce({
      url,
      key: KEY,
      retries: 0,
      fetch: async (_, init) => {
        throw new TypeError(`bad header ${JSON.stringify(init?.headers)}`);
      },
    });
    const asked = ['a', 'b', 'c', 'd', 'e'].map((id) => () => client.run(id));
    const errors: unknown[] = [];
    for (const ask of [...asked, () => loud.run('f')]) errors.push(await errorOf(ask()));
    for (const make of [
      () => new Sendonce({ url, key: `${KEY}\n` }),
      () => new Sendonce({ url: `http://user:${KEY}@127.0.0.1`, key: KEY }),
    ]) {
      expect(make).toThrow(TypeError);
      try {
        make();
      } catch (error) {
        errors.push(error);
      }
    }
    for (const thing of [...errors, client])
      expect(inspect(thing, { depth: 9, showHidden: true })).not.toContain('planted');
    expect(errors).toHaveLength(8);
  });

  it('goes nowhere else when the server leads elsewhere', async () => {
    const elsewhere = await setup([answer(200, RUN)]);
    const { client } = await setup([answer(307, '', { location: `${elsewhere.url}/api/v1/runs/x` })]);
    expect(await errorOf(client.run('x'))).toMatchObject({ status: 307, attempts: 1 });
    expect(elsewhere.received).toEqual([]);
  });
});

describe('what would ask for something else', () => {
  it.each(['', '.', '..'])('is refused before: the run "%s"', async (id) => {
    const { client, received } = await setup([answer(200, RUN)]);
    await expect(client.run(id)).rejects.toThrow(TypeError);
    await expect(client.cancel(id)).rejects.toThrow(TypeError);
    expect(received).toEqual([]);
  });

  it('stays within its part of the path', async () => {
    const { client, received } = await setup([answer(200, RUN)]);
    await client.run('../suppressions?x=#y');
    expect(received[0]?.line).toBe('GET /api/v1/runs/..%2Fsuppressions%3Fx%3D%23y');
  });

  it.each(['', 'März', 'a\nb', 'x'.repeat(256)])('is refused before: the idempotency key %j', async (key) => {
    const { client, received } = await setup([answer(201, RUN)]);
    await expect(client.startRun('news', { idempotencyKey: key })).rejects.toThrow(/Idempotency-Key/);
    expect(received).toEqual([]);
  });

  it.each(['sendonce.example.com', 'ftp://example.com', '', 'https://example.com/?key=1'])(
    'is refused before: the url %j',
    (url) => {
      expect(() => new Sendonce({ url, key: KEY })).toThrow(/`url` has to be/);
    },
  );

  it.each(['', '/', '/api/v1', '/api/v1/', '/mail/', '/mail/api/v1'])(
    'is not made of how the url ends: %j',
    async (end) => {
      const { url, received } = await setup([answer(200, RUN)]);
      await new Sendonce({ url: url + end, key: KEY }).run('x');
      expect(received[0]?.line).toBe(`GET ${end.startsWith('/mail') ? '/mail' : ''}/api/v1/runs/x`);
    },
  );
});
