/** A run's traces, as a collector gets them by OTLP over HTTP: a server of ours, since what counts is what goes over the wire. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { everyone, System } from './system.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Span {
  name: string;
  traceId: string;
  parentSpanId?: string;
  attributes: { key: string; value: Record<string, unknown> }[];
}

async function startCollector() {
  const spans: Span[] = [];
  const bodies: string[] = [];
  const paths = new Set<string>();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    paths.add(request.url ?? '');
    bodies.push(body);
    const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, bodies, paths };
}

it('follows a run from its freezing to the calls of SES, and holds no address', async () => {
  const collector = await startCollector();
  const campaignsDir = makeCampaignDir({ csv: makeCsv(60) });
  const system = await System.start({
    campaignsDir,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  cleanups.push(() => system.stop());
  // SES's refusals name the address.
  await system.setFaults({
    rules: [{ fault: 'bad-request', recipients: ['reader7@*'], message: 'Not reader7@example.com' }],
  });
  const { child } = await system.spawnWatched('worker');
  const run = await system.startRun();
  await system.whenFinished(run);
  expect(await system.inbox(run)).toEqual(everyone(59));
  // What is still in memory goes out with the stop.
  await system.kill(child, 'SIGTERM');
  expect(child.exitCode).toBe(0);

  const calls = await waitFor('a span a call', () => {
    const found = collector.spans.filter(({ name }) => name === 'SES SendEmail');
    return Promise.resolve(found.length === 60 ? found : undefined);
  });
  expect([...collector.paths]).toEqual(['/v1/traces']);
  const keys = calls[0]?.attributes.map(({ key, value }) => [key, Object.values(value)[0]]);
  expect(keys).toContainEqual(['sendonce.run', run]);
  expect(keys).toContainEqual(['sendonce.chunk', 0]);
  // Below the span of the chunk's job, which BullMQ made, in the trace of the freezing.
  const traces = new Set(calls.map(({ traceId }) => traceId));
  expect(traces.size).toBe(1);
  const job = collector.spans.find((span) => span.name.startsWith('process sends'));
  expect(job?.traceId).toBe(calls[0]?.traceId);
  expect(calls.every(({ parentSpanId }) => parentSpanId)).toBe(true);
  expect(collector.bodies.join()).not.toMatch(/reader\d+@|@example\.com/);
});

it('a collector that is away keeps nobody from sending or stopping', async () => {
  const system = await System.start({
    campaignsDir: makeCampaignDir({ csv: makeCsv(30) }),
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' },
  });
  cleanups.push(() => system.stop());
  const { child } = await system.spawnWatched('worker');
  const run = await system.startRun();
  await system.whenFinished(run);
  await system.kill(child, 'SIGTERM');
  expect(child.exitCode).toBe(0);
});
