/**
 * A text over HTTP, with the two things that a long download needs: limits, and going on after the connection broke. A strong
 * ETag says that two answers are the same bytes (RFC 9110, 8.8.1): with one, the rest is asked for by `Range` and `If-Range`,
 * and whoever reads does not notice. Without one the reading as a whole has to begin again, which a transient error says.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { makeScrubber } from '@sendonce/alerts';
import { Agent, type Dispatcher } from 'undici';
import { AudienceSourceError } from './audienceSource.js';
import { networkReason } from './networkErrors.js';

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_REDIRECTS = 5;
/** So often a broken download is taken up again, each time after a longer pause, ms. */
const RESUME_AFTER_MS = [200, 1_000, 3_000, 10_000, 30_000];

const UNDICI_REASONS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'it does not answer (timeout_seconds)',
  UND_ERR_BODY_TIMEOUT: 'it was silent in the middle (timeout_seconds)',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer is shorter than it says',
};

export interface DownloadRequest {
  /** As errors call it. */
  name: string;
  /** Never shown: it may hold a token. */
  url: URL;
  headers: Readonly<Record<string, string>>;
  /** How long the server may be silent, ms. */
  timeoutMs: number;
  /** Of the text, and of what comes over the wire. */
  maxBytes: number;
}

type Answer = Dispatcher.ResponseData;

export class HttpDownload {
  readonly #request: DownloadRequest;
  readonly #signal: AbortSignal | undefined;
  readonly #connections: Agent;
  #answer: Answer | undefined;

  private constructor(request: DownloadRequest, signal: AbortSignal | undefined) {
    this.#request = request;
    this.#signal = signal;
    this.#connections = new Agent({
      connections: 1,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      headersTimeout: request.timeoutMs,
      bodyTimeout: request.timeoutMs,
    });
  }

  /** Up to the headers of the answer. Whoever opens it closes it. @throws {AudienceSourceError}; the signal's reason. */
  static async open(request: DownloadRequest, signal?: AbortSignal): Promise<HttpDownload> {
    const download = new HttpDownload(request, signal);
    try {
      download.#answer = await download.#ask({});
      download.#assertWhole();
      return download;
    } catch (error) {
      await download.close();
      signal?.throwIfAborted();
      throw download.#toSourceError(error);
    }
  }

  /** Without its parameters, in lower case; empty when the server does not say. */
  get contentType(): string {
    return (this.#header('content-type').split(';')[0] ?? '').trim().toLowerCase();
  }

  /** The text's bytes, once. @throws {AudienceSourceError}; the signal's reason. */
  async *chunks(): AsyncGenerator<Buffer> {
    let bytes = 0;
    try {
      for await (const chunk of this.#decoded()) {
        bytes += chunk.length;
        this.#assertWithin(bytes);
        yield chunk;
      }
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw this.#toSourceError(error);
    }
  }

  async close(): Promise<void> {
    await this.#connections.destroy();
  }

  async *#decoded(): AsyncGenerator<Buffer> {
    const encoding = this.#header('content-encoding');
    if (encoding === '' || encoding === 'identity') return yield* this.#received();
    if (!/^(x-)?gzip$/.test(encoding)) throw this.#fail(`its encoding is ${encoding}, expected gzip or none`);
    const gunzip = createGunzip();
    // Errors of either come out where the other end is read.
    void pipeline(Readable.from(this.#received()), gunzip).catch(() => undefined);
    yield* gunzip as AsyncIterable<Buffer>;
  }

  /** What comes over the wire, over as many connections as it takes. */
  async *#received(): AsyncGenerator<Buffer> {
    let body: AsyncIterable<Buffer> = (this.#answer as Answer).body;
    let offset = 0;
    const pauses = [...RESUME_AFTER_MS];
    for (;;) {
      try {
        for await (const chunk of body) {
          offset += chunk.length;
          this.#assertWithin(offset);
          yield chunk;
        }
        return;
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (error instanceof AudienceSourceError) throw error;
        body = await this.#resume(offset, error, pauses);
      }
    }
  }

  /** @param pauses that are left. */
  async #resume(offset: number, broken: unknown, pauses: number[]): Promise<AsyncIterable<Buffer>> {
    const etag = this.#header('etag');
    let error = broken;
    // A weak one (W/"…") only says that the answers mean the same.
    while (etag.startsWith('"')) {
      const pauseMs = pauses.shift();
      if (pauseMs === undefined) break;
      await sleep(pauseMs, undefined, { ...(this.#signal && { signal: this.#signal }) });
      try {
        const answer = await this.#ask({ range: `bytes=${offset}-`, 'if-range': etag });
        if (answer.headers.etag === etag) return restOf(answer, offset);
        answer.body.destroy();
        throw this.#fail('it has changed while it was read', true);
      } catch (next) {
        this.#signal?.throwIfAborted();
        if (next instanceof AudienceSourceError) throw next;
        error = next;
      }
    }
    throw error;
  }

  /** Follows redirects, but with the credentials never to another server. */
  async #ask(headers: Record<string, string>): Promise<Answer> {
    let { url } = this.#request;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await this.#connections.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'GET',
        headers: {
          'accept-encoding': 'gzip',
          'user-agent': 'sendonce',
          ...this.#request.headers,
          ...headers,
        },
        ...(this.#signal && { signal: this.#signal }),
      });
      const { statusCode } = answer;
      if (statusCode === 200 || (statusCode === 206 && headers.range)) return answer;
      answer.body.on('error', () => undefined).destroy();
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(statusCode) || typeof location !== 'string')
        throw this.#fail(
          `it answers ${statusCode}`,
          statusCode === 408 || statusCode === 429 || statusCode >= 500,
        );
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (next?.origin !== url.origin)
        throw this.#fail(
          `it redirects to another server${next ? ` (${next.origin})` : ''}, which is not followed`,
        );
      url = next;
    }
    throw this.#fail('it redirects without an end');
  }

  /** An answer that ends with the connection, and without saying its length, may have been cut anywhere. */
  #assertWhole(): void {
    const isChunked = /\bchunked\b/i.test(this.#header('transfer-encoding'));
    if (this.#header('content-length') === '' && !isChunked)
      throw this.#fail('it says no length, so that a part of it could not be told from the whole');
    this.#assertWithin(Number(this.#header('content-length')));
  }

  #assertWithin(bytes: number): void {
    const { maxBytes } = this.#request;
    if (bytes > maxBytes)
      throw this.#fail(
        `it has more than ${maxBytes.toLocaleString('en')} bytes, which is the limit (max_bytes)`,
      );
  }

  #header(name: string): string {
    const value = this.#answer?.headers[name] ?? '';
    return Array.isArray(value) ? (value[0] ?? '') : value;
  }

  #fail(reason: string, isTransient = false): AudienceSourceError {
    return new AudienceSourceError(this.#request.name, undefined, reason, { isTransient });
  }

  #toSourceError(error: unknown): AudienceSourceError {
    if (error instanceof AudienceSourceError) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = networkReason(error) ?? UNDICI_REASONS[code ?? ''];
    if (reason) return this.#fail(reason, true);
    if (code?.startsWith('Z_')) return this.#fail('its gzip is broken', true);
    return this.#fail(makeScrubber().text(message));
  }
}

/** The bytes from there on; a server may ignore the range and send all. */
async function* restOf({ statusCode, headers, body }: Answer, offset: number): AsyncGenerator<Buffer> {
  const start = statusCode === 206 ? Number(/^bytes (\d+)-/.exec(String(headers['content-range']))?.[1]) : 0;
  let toSkip = offset - start;
  if (!(toSkip >= 0))
    throw Object.assign(new Error('another range than asked for'), { code: 'UND_ERR_SOCKET' });
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const skipped = Math.min(toSkip, chunk.length);
    toSkip -= skipped;
    if (skipped < chunk.length) yield skipped === 0 ? chunk : chunk.subarray(skipped);
  }
}
