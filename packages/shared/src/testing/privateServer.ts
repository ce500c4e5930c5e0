/** A database server of a test's own: on a port that the test has found free, with its data in a folder that goes with it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chownSync, constants, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { waitFor } from './waitFor.js';

/** A server may take a while on a busy machine, ms. */
const START_TIMEOUT_MS = 60_000;

export interface ServerProgram {
  /** Of the folder: `postgres`. */
  name: string;
  program: string;
  /** Command and arguments that make the data, for servers that have to be told. */
  prepare(dir: string): [command: string, ...args: string[]] | undefined;
  args(dir: string, port: number): string[];
  /** Who it runs as when we are root. */
  user: string;
  /** Ends it at once, without losing what it has promised to keep. */
  stopSignal: NodeJS.Signals;
}

export class PrivateServer {
  #child: ChildProcess | undefined;

  private constructor(
    private readonly program: ServerProgram,
    readonly dir: string,
    readonly port: number,
  ) {}

  static async start(program: ServerProgram, port: number): Promise<PrivateServer> {
    // Not in the folder of the test run, which only its owner may enter.
    const dir = mkdtempSync(`/tmp/sendonce-${program.name}-`);
    const server = new PrivateServer(program, dir, port);
    if (isRoot()) chownSync(dir, idOf(program.user, '-u'), idOf(program.user, '-g'));
    const prepare = program.prepare(dir);
    if (prepare) server.#runToEnd(prepare);
    await server.start();
    return server;
  }

  /** Up to the point where it takes connections. */
  async start(): Promise<void> {
    const [command, ...args] = this.#asUser([
      this.program.program,
      ...this.program.args(this.dir, this.port),
    ]);
    const child = spawn(command, args, { cwd: this.dir, stdio: 'ignore', env: { PATH: process.env.PATH } });
    this.#child = child;
    const killWithUs = (): void => void child.kill('SIGKILL');
    process.once('exit', killWithUs);
    child.once('exit', () => process.off('exit', killWithUs));
    await waitFor(
      `${this.program.name} to listen`,
      () => {
        if (child.exitCode !== null)
          throw new Error(`${this.program.name} ended with ${child.exitCode} (${this.dir})`);
        return isListening(this.port);
      },
      START_TIMEOUT_MS,
    );
  }

  /** The data stay; `start` goes on with them. */
  async halt(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(this.program.stopSignal);
    await exited;
  }

  async stop(): Promise<void> {
    await this.halt();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  #runToEnd(command: [string, ...string[]]): void {
    const [program, ...args] = this.#asUser(command);
    const { status, stderr } = spawnSync(program, args, { cwd: this.dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  }

  /** PostgreSQL refuses to run as root. */
  #asUser(command: [string, ...string[]]): [string, ...string[]] {
    const { user } = this.program;
    if (!isRoot() || user === 'root') return command;
    return ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...command];
  }
}

/** A program on the PATH or in one of the folders where Debian keeps it. @param folders a last part `*` is any. */
export function findProgram(name: string, ...folders: string[]): string | undefined {
  const places = [...(process.env.PATH ?? '').split(delimiter), ...folders.flatMap(expand)];
  return places.map((folder) => join(folder, name)).find(isExecutable);
}

function expand(folder: string): string[] {
  const [before = '', after] = folder.split('/*/');
  if (after === undefined) return [folder];
  try {
    return readdirSync(before).map((name) => join(before, name, after));
  } catch {
    return [];
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function idOf(user: string, option: '-u' | '-g'): number {
  return Number(spawnSync('id', [option, user], { encoding: 'utf8' }).stdout);
}
