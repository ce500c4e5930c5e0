/** Processes that are measured, and the endpoint that measures them. All of them end with this one. */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EndpointReport } from './endpoint.js';

const root = new URL('../', import.meta.url);
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** @param path from the top of the repo. */
export function start(path: string, env: NodeJS.ProcessEnv, options: ForkOptions = {}): ChildProcess {
  const child = fork(fileURLToPath(new URL(path, root)), {
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', ...env },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    ...options,
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

export async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** Sends a message and waits for the answer. @throws when the process ends instead. */
export async function ask<Answer>(child: ChildProcess, question: string | object): Promise<Answer> {
  const settled = new AbortController();
  const { signal } = settled;
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`A measured process has ended with ${code}.`);
  });
  const answered = once(child, 'message', { signal });
  child.send(question);
  try {
    const [answer] = (await Promise.race([answered, ended])) as [Answer];
    return answer;
  } finally {
    // Whoever waits in vain would listen for as long as the process lives.
    ended.catch(() => undefined);
    answered.catch(() => undefined);
    settled.abort();
  }
}

export class Endpoint {
  private constructor(
    readonly url: string,
    readonly process: ChildProcess,
  ) {}

  static async start(): Promise<Endpoint> {
    const child = start('dist-bench/endpoint.js', {});
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new Endpoint(`http://127.0.0.1:${port}`, child);
  }

  /** Forgets everything; answers take `latencyMs` from here on. */
  async reset(latencyMs = 0): Promise<void> {
    await ask(this.process, { reset: latencyMs });
  }

  async report(): Promise<EndpointReport> {
    return (await ask<{ report: EndpointReport }>(this.process, 'report')).report;
  }
}
