/** One operation as HTTP: its request, its repetitions, and what an answer means. It keeps nothing between requests. */
import { type Operations, ROUTES } from './api.js';
import { noAnswer, notOurs, refusal } from './failures.js';
import { parseJson } from './parseJson.js';
import { withRetries } from './retry.js';
import { SendonceError } from './sendonceError.js';
import { TimeLimit } from './timeLimit.js';

const API_PATH = '/api/v1';

export interface TransportConfig {
  /** Where the dashboard is, with or without `/api/v1`. */
  url: string;
  key: string;
  fetch: typeof fetch;
  /** Of one attempt, ms. */
  timeoutMs: number;
  /** Attempts after the first. */
  retries: number;
}

export type OperationId = keyof Operations;
export type Input<Id extends OperationId> = Operations[Id]['input'];
export type Answer<Id extends OperationId> = Operations[Id]['answer'];

export interface Reply<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

/** What the input of any operation is made of. */
interface Parts {
  path?: Record<string, string>;
  query?: Record<string, string | number | undefined>;
  headers?: Record<string, string>;
  body?: unknown;
}

interface Request {
  url: string;
  init: RequestInit;
}

export class Transport {
  readonly #config: TransportConfig;
  readonly #base: string;

  /** @throws {TypeError} when a part of the configuration can't be used; the text does not repeat it. */
  constructor(config: TransportConfig) {
    this.#base = baseOf(config.url);
    // Checked here, because `fetch` repeats a header that it can't send in its error.
    if (!/^[\x21-\x7e]+$/.test(config.key))
      throw new TypeError('Sendonce: `key` has to be an API key (so_…), without spaces and line breaks.');
    this.#config = config;
  }

  /**
   * @throws {SendonceError} when the API refuses, or does not answer after all attempts.
   * @throws the signal's reason when it is aborted.
   */
  async ask<Id extends OperationId>(
    id: Id,
    input: Input<Id>,
    signal?: AbortSignal,
  ): Promise<Reply<Answer<Id>>> {
    const request = this.#request(id, input);
    return this.#repeat(id, signal, async (limit, number) => {
      const response = await this.#answered(id, request, limit, number);
      const text = await response.text();
      limit.stop();
      const body = text === '' ? undefined : parseJson(text);
      if (text !== '' && body === undefined) throw new SendonceError(id, notOurs(response.status), number);
      return { status: response.status, headers: response.headers, body: body as Answer<Id> };
    });
  }

  /**
   * An answer of any length, a line at a time. Up to its first byte it is asked for again like any other.
   * @throws {SendonceError} as above, and when the connection breaks in the middle: what has come is not all.
   */
  async *lines<Id extends OperationId>(
    id: Id,
    input: Input<Id>,
    signal?: AbortSignal,
  ): AsyncGenerator<Answer<Id>, void, undefined> {
    const request = this.#request(id, input);
    const { reader, limit } = await this.#repeat(id, signal, async (limit, number) => {
      const response = await this.#answered(id, request, limit, number);
      return { reader: (response.body ?? new Blob().stream()).getReader(), limit };
    });
    try {
      for await (const line of linesOf(reader, limit)) {
        const value = parseJson(line);
        if (value === undefined) throw new SendonceError(id, notOurs(200), 1);
        yield value as Answer<Id>;
      }
    } catch (error) {
      throw this.#explained(error, id, { limit, signal, number: 1 });
    } finally {
      limit.stop();
      await reader.cancel().catch(() => undefined);
    }
  }

  /** @param attempt stops its limit when it has all that it wants. */
  #repeat<Result>(
    id: OperationId,
    signal: AbortSignal | undefined,
    attempt: (limit: TimeLimit, number: number) => Promise<Result>,
  ): Promise<Result> {
    const { timeoutMs, retries } = this.#config;
    return withRetries(
      async (number) => {
        const limit = new TimeLimit(timeoutMs, signal);
        try {
          return await attempt(limit, number);
        } catch (error) {
          limit.stop();
          throw this.#explained(error, id, { limit, signal, number });
        }
      },
      { retries, signal },
    );
  }

  #request<Id extends OperationId>(id: Id, input: Input<Id>): Request {
    const { path = {}, query = {}, headers = {}, body } = input as Parts;
    const [method = '', route = ''] = ROUTES[id].split(' ');
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)]],
    );
    const search = given.length > 0 ? `?${new URLSearchParams(given)}` : '';
    return {
      url: `${this.#base}${route.replace(/\{(\w+)\}/g, (_, name) => pathPart(name, path[name]))}${search}`,
      init: {
        method,
        // What is elsewhere must not get the key, and a POST that is led on becomes a GET.
        redirect: 'manual',
        headers: {
          ...checkedHeaders(headers),
          authorization: `Bearer ${this.#config.key}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
    };
  }

  async #answered(id: OperationId, request: Request, limit: TimeLimit, number: number): Promise<Response> {
    // Without `this`: a browser's own wants to be called by nobody.
    const { fetch: send, key } = this.#config;
    const response = await send(request.url, { ...request.init, signal: limit.signal });
    if (response.ok) return response;
    const text = await response.text();
    throw new SendonceError(id, refusal(response, text.replaceAll(key, '…')), number);
  }

  #explained(
    error: unknown,
    id: OperationId,
    { limit, signal, number }: { limit: TimeLimit; signal: AbortSignal | undefined; number: number },
  ): unknown {
    if (error instanceof SendonceError) return error;
    if (signal?.aborted) return signal.reason;
    const { key, timeoutMs } = this.#config;
    return new SendonceError(id, noAnswer(error, { key, ...(limit.isOver && { timeoutMs }) }), number);
  }
}

/** @throws {TypeError} for what is no address of a server; without repeating it, since it may hold a password. */
function baseOf(url: string): string {
  const { protocol, host, pathname, username, password, search, hash } = URL.canParse(url)
    ? new URL(url)
    : new URL('none:');
  if (!/^https?:$/.test(protocol) || username || password || search || hash)
    throw new TypeError('Sendonce: `url` has to be as https://sendonce.example.com, without a password.');
  const base = `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
  return base.endsWith(API_PATH) ? base : base + API_PATH;
}

/** @throws {TypeError} for what would lead to another path than the operation's. */
function pathPart(name: string, value: string | undefined): string {
  if (typeof value !== 'string' || /^\.{0,2}$/.test(value))
    throw new TypeError(`Sendonce: \`${name}\` has to be some text.`);
  return encodeURIComponent(value);
}

/** @throws {TypeError} for what is no text of ASCII. */
function checkedHeaders(headers: Record<string, string>): Record<string, string> {
  for (const [name, value] of Object.entries(headers))
    if (!/^[\x20-\x7e]{1,255}$/.test(value))
      throw new TypeError(`Sendonce: \`${name}\` has to be 1 to 255 characters of ASCII.`);
  return headers;
}

/** The limit runs while bytes are waited for, and not while somebody works on a line. */
async function* linesOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limit: TimeLimit,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for (;;) {
    limit.restart();
    const { done, value } = await reader.read();
    limit.pause();
    const lines = (rest + decoder.decode(value, { stream: !done })).split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    for (const line of lines) if (line !== '') yield line;
    if (done) return;
  }
}
