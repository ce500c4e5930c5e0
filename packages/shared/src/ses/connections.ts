/**
 * The connections to SES, for the SDK and for the light path alike: kept alive, so many at most, through the proxy that
 * HTTPS_PROXY and NO_PROXY name. A request is written once: undici repeats none that has been written, and what was not
 * written went nowhere.
 */
import type { HttpHandlerOptions, HttpRequest, HttpResponse, RequestHandler } from '@smithy/types';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';

/** Connections to SES that a process keeps open at the most: none of four micro-batches waits for another's answer. */
const MAX_CONNECTIONS = 400;
const CONNECT_TIMEOUT_MS = 5_000;
/** An answer of SES is a few hundred bytes; a list of suppressed addresses, a page of it, some 100 kB. */
const MAX_ANSWER_BYTES = 4_000_000;

/** @param timeoutMs how long SES may take to answer, and between two pieces of an answer. */
export function openConnections(timeoutMs: number): Dispatcher {
  const options: Agent.Options = {
    connections: MAX_CONNECTIONS,
    // One request a connection at a time: what waits behind another one is in doubt when that one breaks.
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: MAX_ANSWER_BYTES,
    connect: { timeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs) },
  };
  return usesProxy() ? new EnvHttpProxyAgent(options) : new Agent(options);
}

function usesProxy(): boolean {
  return ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'].some((name) => process.env[name]);
}

/** The SDK's calls over these connections. */
export class SdkRequestHandler implements RequestHandler<HttpRequest, HttpResponse, HttpHandlerOptions> {
  readonly metadata = { handlerProtocol: 'http/1.1' };

  constructor(private readonly connections: Dispatcher) {}

  async handle({
    body,
    headers,
    method,
    path,
    query,
    ...url
  }: HttpRequest): Promise<{ response: HttpResponse }> {
    const response = await this.connections.request({
      origin: originOf(url),
      path: `${path}${queryOf(query)}`,
      method: method as Dispatcher.HttpMethod,
      headers,
      body: body ?? null,
    });
    return {
      response: {
        statusCode: response.statusCode,
        headers: Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
        ),
        body: response.body,
      },
    };
  }

  destroy(): void {
    void this.connections.close();
  }
}

/** @returns `https://host` or `https://host:port`. */
export function originOf({
  protocol,
  hostname,
  port,
}: Pick<HttpRequest, 'protocol' | 'hostname' | 'port'>): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}

function queryOf(query: HttpRequest['query']): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    [value ?? ''].flat().map((one) => `${escapeUri(name)}=${escapeUri(one)}`),
  );
  return pairs.length > 0 ? `?${pairs.join('&')}` : '';
}

/** As signatures have it (RFC 3986, 2.3): all but unreserved characters. */
export function escapeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
