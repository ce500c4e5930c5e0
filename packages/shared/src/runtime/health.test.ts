import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Health } from './health.js';
import { startHealthServer } from './healthServer.js';
import { makeLogger } from './logger.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup(ports: { worker?: number } = { worker: 0 }) {
  const health = new Health();
  const source: { current?: { contentType: string; metrics(): Promise<string> } } = {};
  const logger = makeLogger('test', 'silent');
  const server = await startHealthServer({ health, logger, source }, 'worker', { host: '127.0.0.1', ports });
  cleanups.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  };
  const ready = async () => {
    const { status, text } = await get('/readyz');
    return { status, ...(JSON.parse(text) as object) };
  };
  return { health, source, get, ready, port };
}

describe('readiness', () => {
  it('goes from starting over running to stopping, and is there in one of them only', async () => {
    const { health, get, ready } = await setup();
    health.add('redis', () => 'answers');
    const checks = { redis: { ok: true, detail: 'answers' } };
    expect(await ready()).toEqual({ status: 503, ready: false, phase: 'starting', checks });
    health.phase = 'running';
    expect(await ready()).toEqual({ status: 200, ready: true, phase: 'running', checks });
    health.phase = 'stopping';
    expect(await ready()).toEqual({ status: 503, ready: false, phase: 'stopping', checks: {} });
    expect(await get('/healthz')).toEqual({ status: 200, text: '{"ok":true}\n' });
  });

  it('tells which check failed, and takes one that hangs for failed', async () => {
    const { health, ready } = await setup();
    health.phase = 'running';
    health.add('consumers', () => {
      throw new Error('no jobs are taken');
    });
    health.add('clocks', () => new Promise<string>(() => undefined));
    expect(await ready()).toMatchObject({
      status: 503,
      checks: {
        consumers: { ok: false, detail: 'no jobs are taken' },
        clocks: { ok: false, detail: 'no answer in 2 s' },
      },
    });
  });

  it('asks what is dear only now and then, but again at once while it is wrong', async () => {
    const { health } = await setup();
    let asked = 0;
    const check = (): string => {
      asked += 1;
      if (asked === 1) throw new Error('away');
      return 'fine';
    };
    health.add('ses', check, 60_000);
    expect((await health.report()).checks.ses).toEqual({ ok: false, detail: 'away' });
    health.add('other', () => 'fine');
    expect((await health.report()).checks.ses).toEqual({ ok: true, detail: 'fine' });
    health.add('another', () => 'fine');
    await health.report();
    expect(asked).toBe(2);
  });

  it('asks once for many that ask at the same time', async () => {
    const { health } = await setup();
    let asked = 0;
    health.add('redis', () => `${++asked}`);
    await Promise.all(Array.from({ length: 50 }, () => health.report()));
    expect(asked).toBe(1);
  });
});

describe('the port', () => {
  async function taken() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  it('that was set and is taken ends the start', async () => {
    await expect(setup({ worker: await taken() })).rejects.toThrow('WORKER_HEALTH_PORT: listen EADDRINUSE');
  });

  it('of a second worker is a free one when nothing was set', async () => {
    const [first, second] = [await setup({}), await setup({})];
    expect(first.port).not.toBe(second.port);
    expect((await second.get('/healthz')).status).toBe(200);
  });

  it('serves metrics once there are some, and nothing else', async () => {
    const { source, get } = await setup();
    expect((await get('/metrics')).status).toBe(404);
    source.current = { contentType: 'text/plain', metrics: async () => 'up 1\n' };
    expect(await get('/metrics?x=1')).toEqual({ status: 200, text: 'up 1\n' });
    expect((await get('/')).status).toBe(404);
  });
});
