/** What a worker writes while a run goes through it: one JSON line an event, with ids to find it by and no address. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { System } from './system.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Line = Record<string, unknown> & { level: number; msg: string };

async function logOfARun(): Promise<{ run: string; text: string; lines: Line[] }> {
  const system = await System.start({ campaignsDir: makeCampaignDir({ csv: makeCsv(50) }) });
  cleanups.push(() => system.stop());
  // SES names the address in what it says.
  await system.setFaults({
    rules: [{ fault: 'bad-request', recipients: ['reader7@*'], message: 'Not reader7@example.com' }],
  });
  const worker = spawn(process.execPath, ['apps/worker/dist/main.js'], {
    cwd: root,
    env: { ...system.env, LOG_LEVEL: 'debug' },
  });
  cleanups.push(() => worker.kill('SIGKILL'));
  let text = '';
  worker.stdout.on('data', (data) => {
    text += data;
  });
  const run = await system.startRun();
  await system.whenFinished(run);
  // A job that nobody knows how to do.
  await system.queues.runs.add('nonesuch' as never, { run } as never);
  await waitFor('the failed job', async () => text.includes('job failed'));
  const closed = once(worker, 'close');
  worker.kill('SIGTERM');
  await closed;
  return {
    run,
    text,
    lines: text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line),
  };
}

describe('a log', () => {
  it('is JSON, names run, chunk and job, and holds no address', async () => {
    const { run, text, lines } = await logOfARun();
    for (const line of lines)
      expect(line).toMatchObject({
        level: expect.any(Number),
        time: expect.any(Number),
        service: 'worker',
        pid: expect.any(Number),
        msg: expect.any(String),
      });
    const find = (msg: string, ids: object) =>
      expect(lines.filter((line) => line.msg === msg)).toContainEqual(expect.objectContaining(ids));
    find('audience frozen', { level: 30, run, chunks: 1, audience: 50 });
    find('job begins', { level: 20, queue: 'sends', job: `${run}/0`, run, chunk: 0, attempt: 1 });
    find('job ends', { level: 20, queue: 'sends', job: `${run}/0`, outcome: 'done' });
    find('job failed', { level: 50, queue: 'runs', run });
    find('stopped', { level: 30 });
    expect(text).not.toMatch(/reader\d+@|@example\.com/);
  });

  it('says what docs/operations.md says that it does', () => {
    const section =
      /## Logs\n([\s\S]*?)\n## /.exec(readFileSync(`${root}docs/operations.md`, 'utf8'))?.[1] ?? '';
    const rows = [...section.matchAll(/^\| (?:info|warn|error) \| (.*?) \|/gm)].map(([, cell = '']) => cell);
    const messages = rows.flatMap((cell) =>
      [...cell.matchAll(/`(.+?)`/g)].map(([, message = '']) => message),
    );
    expect(messages.length).toBeGreaterThan(15);
    const source = ['apps', 'packages']
      .flatMap((folder) =>
        readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
      )
      .filter((path) => /\/src\/.*\.ts$/.test(path) && !path.includes('node_modules'))
      .map((path) => readFileSync(root + path, 'utf8'))
      .join('\n');
    const missing = messages.filter(
      (message) => !source.includes(`'${message}'`) && !source.includes(`"${message}"`),
    );
    expect(missing).toEqual([]);
  });
});
