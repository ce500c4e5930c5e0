/** The processes of the demo: each a real one, with its log in a file, gone with the demo. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENTRIES = {
  'ses-local': '../../../../packages/ses-local/dist/main.js',
  dashboard: '../../../dashboard/dist/main.js',
  scheduler: '../../../scheduler/dist/main.js',
  worker: '../../../worker/dist/main.js',
};

const STOP_TIMEOUT_MS = 10_000;

export class DemoProcesses {
  readonly #logDir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #running = new Map<string, ChildProcess>();
  #isStopping = false;
  #death: string | undefined;

  constructor(logDir: string, env: NodeJS.ProcessEnv) {
    this.#logDir = logDir;
    this.#env = env;
    mkdirSync(logDir, { recursive: true });
  }

  /** @param label names the log; several workers have labels of their own. */
  start(program: keyof typeof ENTRIES, label: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
    const logFile = join(this.#logDir, `${label}.log`);
    const log = createWriteStream(logFile);
    const child = fork(fileURLToPath(new URL(ENTRIES[program], import.meta.url)), {
      env: { ...this.#env, ...env },
      silent: true,
      // Ctrl-C is for the demo; it stops its processes itself, in order.
      detached: true,
    });
    child.stdout?.pipe(log);
    child.stderr?.pipe(log);
    child.once('exit', (code, signal) => {
      this.#running.delete(label);
      if (this.#isStopping || signal === 'SIGKILL') return;
      this.#death = `${label} ended with ${code}. Its log, ${logFile}, ends with:\n${tailOf(logFile)}`;
    });
    this.#running.set(label, child);
    return child;
  }

  async kill(label: string): Promise<void> {
    const child = this.#running.get(label);
    if (!child) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const children = [...this.#running.values()];
    await Promise.all(
      children.map(async (child) => {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
        await exited;
        clearTimeout(timer);
      }),
    );
  }

  /** @throws when a process has ended by itself. */
  assertAlive(): void {
    if (this.#death) throw new Error(this.#death);
  }
}

function tailOf(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n');
}

/** The preferred port, or any free one when somebody else has it. */
export async function choosePort(preferred: number): Promise<number> {
  for (const port of [preferred, 0]) {
    const server = createServer().listen(port, '127.0.0.1');
    const isListening = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isListening) continue;
    const address = server.address();
    server.close();
    await once(server, 'close');
    if (address && typeof address === 'object') return address.port;
  }
  throw new Error('There is no free port on 127.0.0.1.');
}
