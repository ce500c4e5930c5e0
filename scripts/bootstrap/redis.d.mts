import type { ChildProcess } from 'node:child_process';

/** How servers are started and signalled: a program on this machine, or a container. */
export interface RedisLauncher {
  spawn(options: { dir: string; port: number; args: string[] }): ChildProcess;
  signal(child: ChildProcess, port: number, signal: NodeJS.Signals): void | Promise<void>;
}

export interface EmbeddedRedis {
  readonly url: string;
  readonly port: number;
  readonly dir: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  readonly isRunning: boolean;
  /** Starts it again, on the same port and the data that lie there; nothing when it runs. Resolves when it answers. */
  start(): Promise<void>;
  /** Default: SIGKILL, the crash. Resolves when it is gone; for signals that it survives (SIGSTOP, SIGCONT), at once. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** An orderly stop, and a start on the same data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisOptions {
  dataDir: string;
  /** Default: a free one. */
  port?: number;
  /** Further arguments for the server; they win over ours. */
  args?: string[];
  /** Default: whatever server this machine has or can get. */
  launcher?: RedisLauncher;
  /** What lies in the data folder from an earlier command is removed first. Default: it is loaded. */
  isFresh?: boolean;
  /** The data folder is removed by `stop`. */
  isTemporary?: boolean;
}

/** @throws when another living process has its server on this folder, or when the server does not start. */
export function startRedis(options: RedisOptions): Promise<EmbeddedRedis>;

/** On a folder of this process, `.data/tmp-NAME-PID`, that goes with the server. */
export function startTemporaryRedis(name: string): Promise<EmbeddedRedis>;

export function freePort(): Promise<number>;
