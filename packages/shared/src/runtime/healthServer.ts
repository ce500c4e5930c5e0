/**
 * `/healthz`: the event loop turns, or nobody would answer. `/readyz`: 200 when everything is there that the process needs,
 * 503 otherwise, with each check. `/metrics`: for Prometheus. On a port of its own, without a login: for the machine, the
 * cluster and Prometheus, never for the public.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, UsageError } from './errors.js';
import type { Health } from './health.js';
import type { Logger } from './logger.js';
import type { ProcessName, Settings } from './settings.js';

/** Where each kind of process is found when nothing is set. */
const DEFAULT_PORTS: Record<ProcessName, number> = { worker: 3002, scheduler: 3003, dashboard: 3004 };

/** What `/metrics` answers; filled in by who measures. */
export interface MetricsSource {
  contentType: string;
  metrics(): Promise<string>;
}

export interface HealthServices {
  health: Health;
  logger: Logger;
  source: { current?: MetricsSource };
}

/**
 * The default port is a convenience: where another worker has it already, a free one is taken and told. A port that was
 * set is where somebody will look.
 * @throws {UsageError} when that one is taken.
 */
export async function startHealthServer(
  services: HealthServices,
  name: ProcessName,
  { host, ports }: Settings['health'],
): Promise<Server> {
  const given = ports[name];
  const port = given ?? DEFAULT_PORTS[name];
  const server = createServer((request, response) => void answer(services, request, response));
  try {
    await listen(server, port, host);
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    if (given !== undefined || !isTaken)
      throw new UsageError(`${name.toUpperCase()}_HEALTH_PORT: ${messageOf(error)}`, { cause: error });
    await listen(server, 0, host);
  }
  const { port: taken } = server.address() as AddressInfo;
  services.logger.info({ health: `http://${host}:${taken}` }, 'health and metrics are served');
  return server;
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

async function answer(
  services: HealthServices,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (await answerHealth(services.health, request, response, 'detailed')) return;
    const { current } = services.source;
    if (pathOf(request) !== '/metrics' || !current) return send(response, 404, { error: 'not found' });
    const text = await current.metrics();
    response.writeHead(200, { 'content-type': current.contentType }).end(text);
  } catch (error) {
    services.logger.error({ err: error }, 'health could not be told');
    if (!response.headersSent) send(response, 500, { error: 'see the log' });
  }
}

/**
 * The answer to `/healthz` and `/readyz`, for other servers of the process as well. False: it asks for something else.
 * @param detail `brief` where anybody may ask: what is wrong inside is nobody's business.
 */
export async function answerHealth(
  health: Health,
  request: IncomingMessage,
  response: ServerResponse,
  detail: 'brief' | 'detailed',
): Promise<boolean> {
  const path = pathOf(request);
  if (path !== '/healthz' && path !== '/readyz') return false;
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  if (path === '/healthz') {
    send(response, 200, { ok: true });
    return true;
  }
  const report = await health.report();
  send(response, report.ready ? 200 : 503, detail === 'detailed' ? report : { ready: report.ready });
  return true;
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}

function send(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`);
}
