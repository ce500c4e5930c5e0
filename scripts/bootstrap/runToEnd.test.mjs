import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { isProcessAlive } from './common.mjs';

const children = new Set();
afterEach(() => {
  for (const child of children) process.kill(-child.pid, 'SIGKILL');
});

/** The runner in a process group of its own, as a shell starts it. */
async function setup() {
  const counter = fileURLToPath(new URL('./testing/signalCounter.mjs', import.meta.url));
  const runner = spawn(process.execPath, [counter, 'runner'], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.add(runner);
  runner.once('exit', () => children.delete(runner));
  let output = '';
  runner.stdout.on('data', (data) => (output += data));
  await vi.waitFor(() => expect(output).toBe('ready\n'), { timeout: 10_000 });
  return { runner, output: () => output };
}

it('Ctrl-C, which the whole group gets and npm repeats, is one signal for the command; its exit code is ours', async () => {
  const { runner, output } = await setup();
  process.kill(-runner.pid, 'SIGINT');
  runner.kill('SIGINT');
  const [code] = await once(runner, 'close');
  expect(output()).toBe('ready\nSIGINT\n');
  expect(code).toBe(7);
});

it('the command is asked to end when we are killed', async () => {
  const { runner, output } = await setup();
  runner.kill('SIGKILL');
  await once(runner, 'exit');
  expect(isProcessAlive(runner.pid)).toBe(false);
  await vi.waitFor(() => expect(output()).toBe('ready\nSIGTERM\n'), { timeout: 10_000 });
});
