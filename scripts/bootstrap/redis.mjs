/**
 * An embedded Redis: private to one command, on a port and in a data folder of its own, as durable as the promise asks for
 * (every write is on disk before its reply). Also what tests use that kill a server and start it again on its data.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce, BootstrapError } from './common.mjs';
import { findRedis } from './findRedis.mjs';

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;
/** Progress is announced when it takes longer than this. */
const PATIENCE_MS = 2_000;

const DURABLE = [
  '--appendonly',
  'yes',
  '--appendfsync',
  'always',
  '--maxmemory-policy',
  'noeviction',
  '--save',
  '',
];

/**
 * @param {{ dataDir: string, port?: number, args?: string[], program?: { program: string, args: string[], image?: string }, isFresh?: boolean }} options
 *   isFresh: what lies in the data folder from an earlier command is removed first.
 */
export async function startRedis({ dataDir, port, args = [], program, isFresh = false }) {
  const dir = resolve(dataDir);
  await stopLeftOver(dir);
  if (isFresh) rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const server = new EmbeddedRedis(program ?? (await findRedis()), dir, port ?? (await freePort()), args);
  await server.start();
  return server;
}

class EmbeddedRedis {
  #command;
  #args;
  #child;
  #exited;

  constructor(command, dir, port, args) {
    this.#command = command;
    this.#args = args;
    this.dir = dir;
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** Starts the server, on the data that lies there. */
  async start() {
    const { program, args, image } = this.#command;
    const log = join(this.dir, 'redis.log');
    const own = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.dir,
      '--logfile',
      log,
      ...DURABLE,
      ...this.#args,
    ];
    const inDocker = image ? ['-v', `${this.dir}:${this.dir}`, image, 'redis-server'] : [];
    // Not in our process group: Ctrl-C must not stop Redis before those who use it.
    this.#child = spawn(program, [...args, ...inDocker, ...own], { stdio: 'ignore', detached: true });
    this.#exited = new Promise((resolveExit) => {
      this.#child.once('exit', resolveExit);
      this.#child.once('error', resolveExit);
    });
    writeFileSync(join(this.dir, 'server.json'), JSON.stringify({ pid: this.#child.pid, port: this.port }));
    await this.#waitUntilReady(log);
  }

  /** A signal to the server: SIGKILL is the crash that tests ask for. Resolves when it is gone (SIGSTOP: at once). */
  async kill(signal = 'SIGKILL') {
    this.#child.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await this.#exited;
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await this.#exited;
      clearTimeout(timer);
    }
    rmSync(join(this.dir, 'server.json'), { force: true });
  }

  async #waitUntilReady(log) {
    const startedAt = Date.now();
    let isAnnounced = false;
    let hasExited = false;
    void this.#exited.then(() => (hasExited = true));
    while (!hasExited && Date.now() - startedAt < READY_TIMEOUT_MS) {
      const reply = await ask(this.port, ['PING']).catch(() => '');
      if (reply.startsWith('+PONG')) return;
      if (!isAnnounced && Date.now() - startedAt > PATIENCE_MS) {
        announce('waiting for Redis to load its data …');
        isAnnounced = true;
      }
      await sleep(20);
    }
    const tail = existsSync(log)
      ? readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n')
      : '(it wrote no log)';
    throw new BootstrapError(`The embedded Redis did not start. Its log, ${log}, ends with:\n${tail}`);
  }
}

/** A server that an earlier command could not stop, because it was killed itself. Only one on the same data is touched. */
async function stopLeftOver(dir) {
  const file = join(dir, 'server.json');
  if (!existsSync(file)) return;
  const { port } = JSON.parse(readFileSync(file, 'utf8'));
  const reply = await ask(port, ['CONFIG', 'GET', 'dir']).catch(() => '');
  if (reply.includes(`\r\n${dir}\r\n`)) {
    await ask(port, ['SHUTDOWN', 'NOSAVE']).catch(() => undefined);
    while (await ask(port, ['PING']).catch(() => '')) await sleep(50);
  }
  rmSync(file, { force: true });
}

/** One command, one reply, as raw text: enough for a look, without a client library that is not installed yet. */
function ask(port, words) {
  return new Promise((resolveReply, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(1_000, () => socket.destroy(new Error('time-out')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed')));
    socket.on('data', (data) => {
      resolveReply(data.toString());
      socket.destroy();
    });
    socket.write(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
    );
  });
}

export function freePort() {
  return new Promise((resolvePort, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolvePort(port));
    });
  });
}
