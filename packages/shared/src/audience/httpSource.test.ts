/** What a URL can do beyond the contract: break in the middle, change, redirect, never end, ask for credentials. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { AudienceDefinition } from '../campaign/index.js';
import { type AudienceRow, type AudienceSource, openAudience } from './index.js';

const ROWS = 20_000;
const CSV = Buffer.from(
  `email,n\n${Array.from({ length: ROWS }, (_, n) => `reader${n}@example.com,${n}\n`).join('')}`,
);
const occasion = {
  campaign: 'news',
  run: 'news--20261124T100000Z',
  scheduledAt: new Date('2026-11-24T10:00:00Z'),
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => unknown;

/** A server, and a source that asks it. */
async function setup(handler: Handler, http: object = {}, rules: object = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    void handler(request, response, requests.length);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const definition = { http: { url: `${origin}/list`, ...http }, address_field: 'email', ...rules };
  const source = openAudience(definition as unknown as AudienceDefinition, { baseDir: '/', occasion });
  return { origin, requests, source };
}

async function rowsOf(source: AudienceSource): Promise<AudienceRow[]> {
  const rows: AudienceRow[] = [];
  for await (const row of source.rows()) rows.push(row);
  return rows;
}

const numbersOf = (rows: AudienceRow[]) =>
  rows.map((row) => ('recipient' in row ? Number(row.recipient.fields.n) : row.invalid));
const ALL = Array.from({ length: ROWS }, (_, n) => n);

/** Sends the body, or what is left of it by Range; the first answers break off after a part of it. */
function breaking(
  body: Buffer,
  headers: Record<string, string>,
  { breaks = 1, ranges = true } = {},
): Handler {
  return (request, response, count) => {
    const [, from] = /^bytes=(\d+)-$/.exec(String(request.headers.range)) ?? [];
    const isPart = ranges && from !== undefined && request.headers['if-range'] === headers.etag;
    const start = isPart ? Number(from) : 0;
    const rest = body.subarray(start);
    response.writeHead(isPart ? 206 : 200, {
      'content-type': 'text/csv',
      'content-length': rest.length,
      ...(isPart && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
      ...headers,
    });
    if (count > breaks) response.end(rest);
    else response.write(rest.subarray(0, Math.floor(rest.length / 2)), () => response.destroy());
  };
}

describe('a download that breaks', () => {
  it('goes on where it was, by Range and a strong ETag, as often as it takes', async () => {
    const { source, requests } = await setup(breaking(CSV, { etag: '"v1"' }, { breaks: 2 }));
    expect(numbersOf(await rowsOf(source))).toEqual(ALL);
    expect(requests.map(({ headers }) => headers['if-range'])).toEqual([undefined, '"v1"', '"v1"']);
  });

  it('goes on within a gzip', async () => {
    const body = gzipSync(CSV);
    const headers = { etag: '"v1-gzip"', 'content-encoding': 'gzip' };
    const { source } = await setup(breaking(body, headers));
    expect(numbersOf(await rowsOf(source))).toEqual(ALL);
  });

  it('passes over what it has when the server sends the same bytes from the start', async () => {
    const { source } = await setup(breaking(CSV, { etag: '"v1"' }, { ranges: false }));
    expect(numbersOf(await rowsOf(source))).toEqual(ALL);
  });

  it.each([
    ['says no version', {}],
    ['says only a weak one', { etag: 'W/"v1"' }],
  ])('is for the freezing to begin again when the server %s', async (_, headers) => {
    const { source, requests } = await setup(breaking(CSV, headers as Record<string, string>));
    await expect(rowsOf(source)).rejects.toMatchObject({ isTransient: true, reason: 'the connection broke' });
    expect(requests).toHaveLength(1);
  });

  it('is for the freezing to begin again when the list has changed meanwhile', async () => {
    const { source } = await setup((request, response, count) =>
      breaking(CSV, { etag: `"v${count}"` })(request, response, count),
    );
    await expect(rowsOf(source)).rejects.toMatchObject({
      isTransient: true,
      reason: 'it has changed while it was read',
    });
  });

  it('is noticed also where neither a length nor chunks say so', async () => {
    const { source } = await setup((_, response) => {
      response.socket?.end('HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\n\r\nemail\na@example.com\n');
    });
    await expect(rowsOf(source)).rejects.toThrow('a part of it could not be told from the whole');
  });
});

describe('an endless list', () => {
  const endless: Handler = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/csv' });
    response.write('email,n\n');
    const block = 'reader@example.com,1\n'.repeat(5_000);
    const pump = () => {
      while (!response.destroyed && response.write(block)) {}
    };
    response.on('drain', pump);
    pump();
  };

  it('ends at the limit of bytes', async () => {
    const { source } = await setup(endless, { max_bytes: 3_000_000 });
    await expect(rowsOf(source)).rejects.toMatchObject({
      isTransient: false,
      reason: 'it has more than 3,000,000 bytes, which is the limit (max_bytes)',
    });
  });

  it('ends at the limit of rows', async () => {
    const { source } = await setup(endless, {}, { max_rows: 20_000 });
    await expect(rowsOf(source)).rejects.toThrow(
      'it has more than 20,000 rows, which is the limit (max_rows)',
    );
  });

  it('is not begun when it says itself that it is too large', async () => {
    const { source } = await setup((_, response) =>
      response.writeHead(200, { 'content-type': 'text/csv', 'content-length': 5_000_000_000 }).flushHeaders(),
    );
    await expect(source.fields()).rejects.toThrow('it has more than 4,294,967,296 bytes');
  });

  it('ends in a gzip of almost nothing, too', async () => {
    const bomb = gzipSync(
      Buffer.concat([Buffer.from('email\n'), Buffer.alloc(40_000_000, 'a@example.com\n')]),
    );
    const { source } = await setup(
      (_, response) =>
        response
          .writeHead(200, {
            'content-type': 'text/csv',
            'content-encoding': 'gzip',
            'content-length': bomb.length,
          })
          .end(bomb),
      { max_bytes: 1_000_000 },
    );
    await expect(rowsOf(source)).rejects.toThrow('max_bytes');
  });
});

describe('a silent server', () => {
  it.each([
    ['before its answer', () => undefined, 'it does not answer (timeout_seconds)'],
    [
      'in the middle of it',
      (_: unknown, response: ServerResponse) =>
        response.writeHead(200, { 'content-type': 'text/csv' }).write('email\na@example.com\n'),
      'it was silent in the middle (timeout_seconds)',
    ],
  ])('is given up %s', async (_, handler, reason) => {
    const { source } = await setup(handler as Handler, { timeout_seconds: 1 });
    await expect(rowsOf(source)).rejects.toMatchObject({ isTransient: true, reason });
  });
});

describe('a request', () => {
  const list: Handler = (_, response) => {
    const body = 'email\na@example.com\n';
    response.writeHead(200, { 'content-type': 'text/csv', 'content-length': body.length }).end(body);
  };

  it('carries the occasion in its URL, and credentials from the environment', async () => {
    process.env.LIST_AUTH = 'Bearer s3cr3t-token';
    process.env.LIST_KEY = 'k3y';
    const { origin, requests, source } = await setup(list, {
      auth_env: 'LIST_AUTH',
      headers_env: { 'X-Api-Key': 'LIST_KEY' },
    });
    expect(await source.fields()).toEqual(['email']);
    expect(requests[0]?.headers).toMatchObject({ authorization: 'Bearer s3cr3t-token', 'x-api-key': 'k3y' });
    process.env.LIST_URL = `${origin}/list?at={scheduled_at}&c={campaign}&r={run}`;
    const { source: byVariable } = await setup(list, { url: undefined, url_env: 'LIST_URL' });
    await byVariable.fields();
    expect(requests[1]?.url).toBe('/list?at=2026-11-24T10%3A00%3A00.000Z&c=news&r=news--20261124T100000Z');
  });

  it('follows a redirect on its server, and none to another, where its credentials would go', async () => {
    process.env.LIST_AUTH = 'Bearer s3cr3t-token';
    const other = await setup(list);
    const { source } = await setup(
      (request, response, count) => {
        if (request.url === '/moved') return list(request, response, count);
        response.writeHead(302, { location: count < 3 ? '/moved' : `${other.origin}/list?key=1` }).end();
      },
      { auth_env: 'LIST_AUTH' },
    );
    expect(await source.fields()).toEqual(['email']);
    await expect(source.fields()).rejects.toThrow(
      `it redirects to another server (${other.origin}), which is not followed`,
    );
    expect(other.requests).toEqual([]);
  });

  it.each([
    [404, false],
    [401, false],
    [429, true],
    [503, true],
  ])('that is answered by %i is tried again: %s', async (status, isTransient) => {
    const { source } = await setup((_, response) => response.writeHead(status).end('jane@example.com'));
    await expect(source.fields()).rejects.toMatchObject({ isTransient, reason: `it answers ${status}` });
  });

  it('needs a type of CSV or NDJSON, unless the campaign says which it is', async () => {
    const html: Handler = (_, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html', 'content-length': 20 })
        .end('email\na@example.com\n');
    await expect((await setup(html)).source.fields()).rejects.toThrow('its type is text/html');
    expect(await (await setup(html, { format: 'csv' })).source.fields()).toEqual(['email']);
  });

  it('is refused before it is made when its URL is wrong, without showing it', async () => {
    process.env.LIST_URL = 'https://me:s3cr3t@example.com/';
    const { source } = await setup(list, { url: undefined, url_env: 'LIST_URL' });
    await expect(source.fields()).rejects.toThrow('its URL holds a password, which belongs into auth_env');
    const { source: unknown } = await setup(list, { url: 'https://example.com/{date}' });
    await expect(unknown.check?.()).rejects.toThrow(
      '{date} stands for nothing in the URL; known are {scheduled_at}',
    );
  });
});
