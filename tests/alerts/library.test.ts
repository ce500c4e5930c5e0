/** @sendonce/alerts as any application uses it: real processes that log errors, a real Redis, mails in a real inbox. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type AlertOptions, alertOnErrors } from '@sendonce/alerts';
import { startSesLocal } from '@sendonce/ses-local';
import { waitFor } from '@sendonce/shared/testing';
import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const PROGRAM = fileURLToPath(new URL('./erring.mjs', import.meta.url));
const SECRET = 'Zx8-planted-secret';

async function inbox() {
  const ses = await startSesLocal();
  cleanups.push(() => ses.stop());
  const mails = async () => {
    const found = await fetch(`${ses.url}/messages?to=ops@example.com&limit=100`);
    return ((await found.json()) as { subject: string; text: string }[]).reverse();
  };
  const options: AlertOptions = {
    admins: 'Ops <ops@example.com>',
    serverEmail: 'app@example.org',
    region: 'us-east-1',
    endpoint: ses.url,
    redisUrl: process.env.REDIS_URL ?? '',
    redisKey: `{alerts-${Math.random().toString(36).slice(2)}}`,
  };
  return { ses, mails, options };
}

/** Takes what Slack would take. */
async function webhook(status = 200) {
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    const body: Buffer[] = [];
    for await (const part of request) body.push(part as Buffer);
    texts.push((JSON.parse(Buffer.concat(body).toString()) as { text: string }).text);
    response.writeHead(status).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  return { texts, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` };
}

interface Erring {
  options: AlertOptions;
  count: number;
  everyMs?: number;
  kinds?: number;
  extra?: string;
}

/** @returns when all its errors are logged. */
async function err({
  everyMs = 0,
  kinds = 1,
  ...erring
}: Erring): Promise<{ child: ChildProcess; output: () => string }> {
  const child = fork(PROGRAM, {
    env: {
      PATH: process.env.PATH,
      NODE_NO_WARNINGS: '1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      PLANTED_TOKEN: SECRET,
      ERRING: JSON.stringify({ everyMs, kinds, ...erring }),
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  });
  cleanups.push(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data) => {
      output += data;
    });
  await once(child, 'message');
  return { child, output: () => output };
}

/** Of all occurrences that mails tell of. */
function sumOf(mails: { text: string }[]): number {
  const counts = mails.flatMap(({ text }) => [...text.matchAll(/How often\s+([\d,]+) now/g)]);
  return counts.reduce((sum, [, count = '']) => sum + Number(count.replaceAll(',', '')), 0);
}

describe('10,000 identical errors', () => {
  it('of three processes are at most three mails, with exact counts', async () => {
    const { mails, options } = await inbox();
    const limited = { ...options, intervalsMs: [8_000, 3_600_000] };
    const storms = [3_333, 3_333, 3_334].map((count) => err({ options: limited, count, everyMs: 1 }));
    await Promise.all(storms);
    const told = await waitFor(
      'all to be told',
      async () => {
        const now = await mails();
        return sumOf(now) >= 10_000 ? now : undefined;
      },
      40_000,
    );
    expect(told.length).toBeLessThanOrEqual(3);
    expect(sumOf(told)).toBe(10_000);
    expect(told[0]?.subject).toMatch(/^\[Alert\] cannot alpha/);
    expect(told.at(-1)?.text).toContain('10,000 in all');
  });

  it('of a process that ends at once are told before it is gone', async () => {
    const { mails, options } = await inbox();
    const { child } = await err({ options, count: 40 });
    const gone = once(child, 'exit');
    child.send('end');
    await gone;
    expect(sumOf(await mails())).toBe(40);
  });
});

describe('20 different errors', () => {
  it('are 20 kinds, and one mail', async () => {
    const { mails, options } = await inbox();
    await err({ options, count: 200, kinds: 20 });
    const [mail] = await waitFor('the mail', async () => {
      const now = await mails();
      return sumOf(now) >= 200 ? now : undefined;
    });
    expect(mail?.subject).toMatch(/^\[Alert\] 20 kinds of trouble/);
    expect(mail?.text.match(/10 now, 10 in all/g)).toHaveLength(20);
  });
});

describe('when SES is what is broken', () => {
  it('the second channel tells, with the reason, once', async () => {
    const { ses, options } = await inbox();
    await ses.stop();
    const { texts, url } = await webhook();
    const { child, output } = await err({ options: { ...options, webhookUrl: url }, count: 500 });
    await waitFor('the webhook', () => Promise.resolve(texts.length > 0));
    await err({ options: { ...options, webhookUrl: url }, count: 500 });
    expect(texts).toHaveLength(1);
    expect(texts[0]).toContain('*[Alert] cannot alpha (500 times)*');
    expect(texts[0]).toMatch(/Not sent otherwise: ses: .*ECONNREFUSED/);
    expect(output()).toBe('');
    expect(child.exitCode).toBeNull();
  });

  it('and the second channel as well, a line says so, and the application goes on', async () => {
    const { ses, options } = await inbox();
    await ses.stop();
    const { texts, url } = await webhook(500);
    const { child, output } = await err({ options: { ...options, webhookUrl: url }, count: 500 });
    await waitFor('the line', () => Promise.resolve(output().includes('alert not sent: ses: ')));
    expect(output()).toContain('webhook: Error: the webhook answered 500');
    expect(output().trim().split('\n')).toHaveLength(1);
    expect(texts).toHaveLength(1);
    expect(child.exitCode).toBeNull();
  });

  it('a process without Redis counts for itself', async () => {
    const { mails, options } = await inbox();
    await err({ options: { ...options, redisUrl: 'redis://127.0.0.1:1' }, count: 300 });
    await waitFor('the mail', async () => sumOf(await mails()) === 300);
    expect(await mails()).toHaveLength(1);
  });
});

describe('a secret and an address', () => {
  it('planted in an error, its fields and its stack are in no mail and in no webhook', async () => {
    const { mails, options, ses } = await inbox();
    const { texts, url } = await webhook();
    const all = { ...options, webhookUrl: url };
    await err({ options: all, count: 3, kinds: 3, extra: SECRET });
    await waitFor('the mail', async () => (await mails()).length > 0);
    await ses.stop();
    await err({ options: { ...all, redisKey: `${options.redisKey}-2` }, count: 3, kinds: 3, extra: SECRET });
    await waitFor('the webhook', () => Promise.resolve(texts.length > 0));
    const said = JSON.stringify([await Promise.resolve(texts)]);
    expect(said).toContain('cannot beta');
    expect(said).not.toMatch(/Zx8|reader\d/);
  });
});

describe('an Express application', () => {
  it('has its 5xx told, with method, path, status and request, and nothing else', async () => {
    const { mails, options } = await inbox();
    process.env.AWS_ACCESS_KEY_ID = process.env.AWS_SECRET_ACCESS_KEY = 'local';
    const app = express();
    app.get('/broken/:id', () => {
      throw new RangeError('no reader9@example.com here');
    });
    app.get('/wrong', () => {
      throw Object.assign(new Error('not like this'), { status: 400 });
    });
    app.use(alertOnErrors(options));
    app.use(
      ((_error, _request, response, _next) => void response.status(500).end()) as express.ErrorRequestHandler,
    );
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await fetch(`${base}/wrong`);
    await fetch(`${base}/broken/7?token=${SECRET}`, { headers: { 'x-request-id': 'request-77' } });
    const [mail] = await waitFor('the mail', async () => {
      const now = await mails();
      return now.length > 0 ? now : undefined;
    });
    expect(mail?.subject).toBe('[Alert] GET 500: request failed');
    for (const part of [
      'RangeError: no <address> here',
      'path: /broken/7',
      'status: 500',
      'request: request-77',
    ])
      expect(mail?.text).toContain(part);
    expect(mail?.text).not.toMatch(/Zx8|reader9/);
    expect(await mails()).toHaveLength(1);
  });
});
