/** @sendonce/client as it is published, against the API as it is. Servers that misbehave are in packages/client. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Sendonce, SendonceError } from '@sendonce/client';
import { API_SCOPES, makeApiKey } from '@sendonce/shared/runtime';
import { waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAnswerLoser } from '../e2e/answerLoser.js';
import { everyone, System } from '../e2e/system.js';
import { type ApiDocument, apiTypes, routesOf } from './apiTypes.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const { key, entry } = makeApiKey('shop', API_SCOPES);

let system: System;
let document: ApiDocument;
beforeAll(async () => {
  const campaignsDir = join(root, 'examples/campaigns');
  system = await System.start({ campaignsDir, env: { API_KEYS: entry } });
  await system.startDashboardPorts();
  document = (await (await fetch(`${system.dashboardUrl}/api/v1/openapi.json`)).json()) as ApiDocument;
});
afterAll(() => system.stop());

describe('the types of the client', () => {
  it('are what the document says (-u writes them anew)', async () => {
    await expect(apiTypes(document)).toMatchFileSnapshot(join(root, 'packages/client/src/api.ts'));
  });
});

describe('the methods of the client', () => {
  /** Addresses go to the list by POST, which has them in its body. */
  const LEFT_OUT = ['putSuppression'];

  /** A client that remembers what it asked for, by the document's names. */
  function recordingClient() {
    const asked = new Set<string>();
    const routes = routesOf(document).map(({ method, path, operation }) => ({
      id: operation.operationId,
      pattern: new RegExp(`^${method} /api/v1${path.replace(/\{\w+\}/g, '[^/]+')}$`),
    }));
    const client = new Sendonce({
      url: system.dashboardUrl,
      key,
      fetch: (url, init) => {
        const line = `${init?.method} ${new URL(String(url)).pathname}`;
        asked.add(routes.find(({ pattern }) => pattern.test(line))?.id ?? line);
        return fetch(url, init);
      },
    });
    return { client, asked };
  }

  it('are all operations of the document, and work', async () => {
    const { client, asked } = recordingClient();
    expect((await client.campaigns()).campaigns.map(({ campaign }) => campaign)).toContain(
      'monthly-reminder',
    );

    // Without a worker: they stay where they are put.
    const options = { idempotencyKey: 'a test', scheduledAt: new Date(Date.now() - 60_000) };
    const started = await client.startRun('monthly-reminder', options);
    expect(started).toMatchObject({ isNew: true, campaign: 'monthly-reminder', origin: 'api' });
    expect(await client.startRun('monthly-reminder', options)).toMatchObject({
      isNew: false,
      run: started.run,
    });
    const other = await client.startRun('monthly-reminder', { idempotencyKey: 'another test' });
    const listed: string[] = [];
    for await (const { run: id } of client.runs({ campaign: 'monthly-reminder', pageSize: 1 }))
      listed.push(id);
    expect(listed).toEqual([other.run, started.run]);
    expect(await client.pause(started.run, { reason: 'a wrong price' })).toMatchObject({ status: 'paused' });
    expect(await client.run(started.run)).toMatchObject({ pause_reason: 'a wrong price' });
    expect((await client.resume(started.run)).status).not.toBe('paused');
    expect(await client.cancel(started.run)).toMatchObject({ status: 'cancelled' });
    await client.cancel(other.run);
    expect((await client.report(started.run)).clicks).toMatchObject({ human: 0 });

    const message = { template: 'welcome', to: 'ada@example.com', data: { first_name: 'Ada' } };
    const sent = await client.sendMessage({ ...message, idempotencyKey: 'welcome 1/2 %' });
    expect(sent).toMatchObject({ isNew: true, key: 'welcome 1/2 %', status: 'queued' });
    expect(await client.sendMessage({ ...message, idempotencyKey: 'welcome 1/2 %' })).toMatchObject({
      isNew: false,
    });
    expect(await client.message('welcome 1/2 %')).toMatchObject({ run: sent.run });

    const address = 'jane+x@example.com';
    expect(await client.suppress({ address, reason: 'complaint' })).toMatchObject({ added: 1 });
    expect(await client.suppressed(address)).toMatchObject([{ campaign: '*', reason: 'complaint' }]);
    const list: unknown[] = [];
    for await (const suppression of client.suppressions()) list.push(suppression);
    expect(list).toMatchObject([{ address, reason: 'complaint' }]);
    for (const _ of ['first', 'second']) await client.unsuppress(address);
    expect(await client.suppressed(address)).toEqual([]);

    const all = routesOf(document).map(({ operation }) => operation.operationId);
    expect([...asked, ...LEFT_OUT].sort()).toEqual(all.sort());
  });

  it("throw the API's problems", async () => {
    const { client } = recordingClient();
    const starts = [client.startRun('nothing', { idempotencyKey: 'x' }), client.run('nothing')];
    const problems = await Promise.all(starts.map((start) => start.catch((error: unknown) => error)));
    expect(problems).toMatchObject([
      { status: 404, type: 'unknown-campaign', title: 'There is no such campaign.', attempts: 1 },
      { status: 404, type: 'unknown-run' },
    ]);
    for (const problem of problems) expect(problem).toBeInstanceOf(SendonceError);
    const stranger = new Sendonce({ url: system.dashboardUrl, key: 'so_nobody' });
    await expect(stranger.campaigns()).rejects.toMatchObject({ status: 401, type: 'no-key' });
    const unfit = client.suppress({ address: 'nobody' });
    await expect(unfit).rejects.toThrow(/^addSuppressions: .*#\/entries\/0\/address: .*\(400\)$/);
  });
});

describe('the package', () => {
  /** What `npm publish` would upload, as it is in somebody's node_modules. @returns the folder, and the files. */
  async function installed(): Promise<{ dir: string; files: string[] }> {
    const dir = mkdtempSync(join(tmpdir(), 'sendonce-client-'));
    const target = join(dir, 'node_modules/@sendonce/client');
    mkdirSync(target, { recursive: true });
    const args = ['pack', '--json', '--pack-destination', dir];
    const { stdout } = await run('npm', args, { cwd: join(root, 'packages/client') });
    const [pack] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
    await run('tar', ['-xzf', join(dir, pack?.filename ?? ''), '-C', target, '--strip-components', '1']);
    return { dir, files: (pack?.files ?? []).map(({ path }) => path).sort() };
  }

  const readme = readFileSync(join(root, 'packages/client/README.md'), 'utf8');
  const [, start = ''] = /```ts\n([\s\S]+?)```/.exec(readme) ?? [];

  it('holds what it needs, and its first lines send once, however often they are run', async () => {
    const { dir, files } = await installed();
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/index.js']),
    );
    expect(files.filter((file) => /test|tsbuildinfo|tsconfig/.test(file))).toEqual([]);

    system.spawn('worker');
    const proxy = await openAnswerLoser(system.dashboardUrl);
    writeFileSync(join(dir, 'start.mjs'), start);
    const env = { PATH: process.env.PATH, SENDONCE_URL: proxy.url, SENDONCE_KEY: key };
    const runs = await Promise.all([1, 2].map(() => run(process.execPath, ['start.mjs'], { cwd: dir, env })));
    const [id = ''] = runs[0]?.stdout.split(' ') ?? [];
    for (const { stdout } of runs) expect(stdout).toContain(`${id} `);
    await system.whenFinished(id);
    expect(await system.inbox(id)).toEqual(everyone(3));
    await waitFor('the message', async () => (await messagesTo('jane@example.com')).length > 0);
    await run(process.execPath, ['start.mjs'], { cwd: dir, env });
    expect(await messagesTo('jane@example.com')).toEqual(['Welcome, Jane']);
    expect([...proxy.lost].sort()).toEqual(['monthly-reminder-2026-12', 'welcome-1001']);
    proxy.stop();
  });

  it('has types that a strict compiler takes', async () => {
    const { dir } = await installed();
    writeFileSync(join(dir, 'start.mts'), start);
    const flags = ['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext'];
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
    const args = [join(root, 'node_modules/typescript/bin/tsc'), ...flags, ...types, 'start.mts'];
    await expect(run(process.execPath, args, { cwd: dir })).resolves.toMatchObject({ stdout: '' });
  });

  it('starts as the README of the whole says, and so does curl', async () => {
    const [, section = ''] = readFileSync(join(root, 'README.md'), 'utf8').split('## From your application');
    expect(section).toContain(start);
    const [, curl = ''] = /```sh\n([\s\S]+?)```/.exec(section) ?? [];
    const env = { PATH: process.env.PATH, SENDONCE_URL: system.dashboardUrl, SENDONCE_KEY: key };
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', curl], { env });
    expect(JSON.parse(stdout)).toMatchObject({ campaign: 'monthly-reminder', origin: 'api' });
  });
});

/** Of single messages only: runs to the same people have another subject. */
async function messagesTo(address: string): Promise<string[]> {
  const found = await fetch(`${system.sesUrl}/messages?to=${encodeURIComponent(address)}`);
  const subjects = ((await found.json()) as { subject: string }[]).map(({ subject }) => subject);
  return subjects.filter((subject) => subject.startsWith('Welcome'));
}
