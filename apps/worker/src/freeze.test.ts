import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resumeRun } from '@sendonce/shared/control';
import { Ledger } from '@sendonce/shared/ledger';
import { LinkPages } from '@sendonce/shared/links';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { makeLogger } from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';
import { makeSnapshot, openTestRedis, StubClock, type TestRedis } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freeze } from './freeze.js';
import { FinalError } from './outcomes.js';

let test: TestRedis;
let web: Server;
let url: string;
/** What the list's server does with a request. */
let answer: 'hangs up' | 'the list' | 'another column' = 'hangs up';
let onRequest = (): void => undefined;

beforeAll(async () => {
  test = await openTestRedis();
  web = createServer((request, response) => {
    onRequest();
    if (answer === 'hangs up') return void request.socket.destroy();
    const column = answer === 'the list' ? 'first_name' : 'name';
    const body = `email,${column}\nreader1@example.com,One\nreader2@example.com,Two\n`;
    response.writeHead(200, { 'content-type': 'text/csv', 'content-length': body.length }).end(body);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(web.address() as AddressInfo).port}/list`;
});
afterAll(async () => {
  await new Promise((resolve) => web.close(resolve));
  await test.close();
});

let minute = 0;

async function setup() {
  const clock = new StubClock();
  const queues = openQueues(test.redis, test.prefix);
  const services = {
    clock,
    ledger: new Ledger(test),
    linkPages: new LinkPages({ ...test, clock }),
    logger: makeLogger('test', 'silent'),
    queues,
    runs: new Runs({ ...test, clock }),
    suppressions: new SuppressionList({ ...test, clock }),
  };
  const yaml = `from: a@dif.io\nsubject: Hi {{ first_name }}\naudience:\n  http: { url: "${url}" }\n`;
  const snapshot = await makeSnapshot(0, { yaml });
  const scheduledAt = new Date(Date.UTC(2026, 10, 25, 10, minute++));
  const { run } = await services.runs.create(snapshot, scheduledAt, 'manual');
  const tryToFreeze = (askAgainAfterMs: number[] = []) =>
    freeze(services, run, new AbortController().signal, askAgainAfterMs);
  return { ...services, run, tryToFreeze, close: () => closeQueues(queues) };
}

describe('an audience that is away', () => {
  it('is asked again, and frozen when it is back', async () => {
    const { close, run, runs, tryToFreeze } = await setup();
    answer = 'hangs up';
    let requests = 0;
    onRequest = () => {
      requests += 1;
      if (requests === 3) answer = 'the list';
    };
    expect(await tryToFreeze([1, 1, 1])).toBe('done');
    expect((await runs.get(run)).numbers).toMatchObject({ audience: 2, duplicates: 0, queued: 2 });
    expect(requests).toBe(3);
    await close();
  });

  it('pauses the run, which tries it again by itself and tells once', async () => {
    const { clock, close, queues, run, runs, tryToFreeze } = await setup();
    answer = 'hangs up';
    onRequest = () => undefined;
    expect(await tryToFreeze()).toBe('paused');
    const paused = await runs.get(run);
    expect(paused).toMatchObject({
      status: 'paused',
      pauseReason: expect.stringMatching(
        /^The audience can't be read: HTTP \(127\.0\.0\.1:\d+\): the connection broke$/,
      ),
      numbers: { queued: 0 },
    });
    expect(paused.retryAt?.getTime()).toBe(clock.now() + 60_000);
    await resumeRun({ queues, runs }, run, 'itself');
    expect(await tryToFreeze()).toBe('paused');
    answer = 'the list';
    await resumeRun({ queues, runs }, run, 'itself');
    expect(await tryToFreeze()).toBe('done');
    await close();
  });
});

describe('an audience that is wrong', () => {
  it('pauses the run until somebody has mended it', async () => {
    const { close, queues, run, runs, tryToFreeze } = await setup();
    answer = 'another column';
    await expect(tryToFreeze([1])).rejects.toThrow(FinalError);
    const paused = await runs.get(run);
    expect(paused.retryAt).toBeUndefined();
    expect(paused.pauseReason).toContain('row 2: lacks the field "first_name"');
    answer = 'the list';
    await resumeRun({ queues, runs }, run);
    expect(await tryToFreeze()).toBe('done');
    expect((await runs.get(run)).numbers).toMatchObject({ audience: 2, queued: 2 });
    await close();
  });
});
