import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';

/** What runs in production is compiled; without it there is nothing to test here. */
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

function start(env: Record<string, string> = {}): { child: ChildProcess; output: () => string } {
  const child = fork(main, { env: { ...env, PORT: env.PORT ?? '0' }, silent: true, execArgv: [] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk));
  return { child, output: () => text };
}

test.skipIf(!existsSync(main))(
  'says where it is when it is ready, and ends cleanly with SIGTERM',
  async () => {
    const { child, output } = start();
    const [{ ready }] = await once(child, 'message');
    expect((await fetch(`${ready}/healthz`)).status).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(JSON.parse(output())).toMatchObject({ service: 'ses-local', url: ready });
  },
);

test.skipIf(!existsSync(main))('ends with its parent', async () => {
  const { child } = start();
  await once(child, 'message');
  child.disconnect();
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test.skipIf(!existsSync(main))('ends with a parent that was killed and had no channel to it', async () => {
  const script = `
    const { spawn } = require('node:child_process');
    spawn(process.execPath, [${JSON.stringify(main)}], { env: { PORT: '0', EXIT_WITH_PARENT: '1' }, stdio: ['ignore', 'inherit', 'inherit'] });
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = await once(parent.stdout, 'data');
  const { url } = JSON.parse(String(line));
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(fetch(`${url}/healthz`)).rejects.toThrow(), 10_000);
});

test.skipIf(!existsSync(main))('settings that are wrong end it with 2, all told at once', async () => {
  const { child, output } = start({ PORT: 'x', MAX_SEND_RATE: '0' });
  expect(await once(child, 'close')).toEqual([2, null]);
  expect(output()).toMatch(/^PORT: .*\nMAX_SEND_RATE: .*\n$/);
});
