/**
 * An embedded Redis: private to one command, on a port and in a data folder of its own, as durable as the promise asks for
 * (every write is on disk before its reply). It ends with us, however we end. Also what tests use that kill a server and
 * start it again on its data.
 */
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce, BootstrapError, isProcessAlive, lastLines } from './common.mjs';
import { orphanedDirs, temporaryDir } from './dataDirs.mjs';
import { findRedis } from './findRedis.mjs';
import { tieToUs } from './lifeline.mjs';
import { ask, servesDir } from './resp.mjs';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
/** Progress is announced when it takes longer than this. */
const PATIENCE_MS = 2_000;
/** From the first up to, and without, the second. */
const GIVEN_PORTS = [12_000, 32_000];
/** Between finding a free port and using it, another process may take it. */
const PORT_ATTEMPTS = 3;
const LOG_LINES = 8;

const LOG_FILE = 'redis.log';
/** Beside the data: who serves it. */
const RECORD_FILE = 'server.json';

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
const NEVER_EVICTS = ['--maxmemory-policy', 'noeviction'];
const IN_THE_FOREGROUND = ['--daemonize', 'no', '--supervised', 'no', '--pidfile', ''];

/** A server on a folder of our own that goes with it. What killed commands left of theirs is cleared away first. */
export async function startTemporaryRedis(name) {
  for (const dir of orphanedDirs()) {
    await stopLeftOver(dir);
    rmSync(dir, { recursive: true, force: true });
  }
  return startRedis({ dataDir: temporaryDir(name), isTemporary: true });
}

/** The options are described in redis.d.mts. */
export async function startRedis({ dataDir, port, args = [], launcher, isFresh, isTemporary }) {
  if (existsSync(dataDir)) await stopLeftOver(realpathSync(dataDir));
  if (isFresh) rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true });
  const dir = realpathSync(dataDir);
  const settings = { dir, args, launcher: launcher ?? (await findRedis()), isTemporary };
  for (let attempt = 1; ; attempt++) {
    const server = new EmbeddedRedis({ ...settings, port: port ?? (await freePort()) });
    try {
      await server.start();
      return server;
    } catch (error) {
      const isTaken = port === undefined && readLog(dir).includes('Address already in use');
      if (!isTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

class EmbeddedRedis {
  #settings;
  #child;
  #exited = Promise.resolve();
  #untie;

  constructor(settings) {
    this.#settings = settings;
    this.dir = settings.dir;
    this.port = settings.port;
    this.url = `redis://127.0.0.1:${settings.port}`;
  }

  get pid() {
    return this.#child?.pid;
  }

  get isRunning() {
    return this.#child !== undefined;
  }

  async start() {
    if (this.isRunning) return;
    const { args, dir, launcher, port } = this.#settings;
    // The log is this start's: what it says at its end must not be from the one before.
    rmSync(join(dir, LOG_FILE), { force: true });
    const all = ['--port', String(port), '--dir', dir, '--logfile', join(dir, LOG_FILE)];
    all.push(...DURABLE, ...NEVER_EVICTS, ...IN_THE_FOREGROUND, ...args);
    this.#watch(launcher.spawn({ dir, port, args: all }));
    writeFileSync(join(dir, RECORD_FILE), JSON.stringify({ port, owner: process.pid }));
    await this.#waitUntilReady();
  }

  async kill(signal = 'SIGKILL') {
    if (!this.isRunning) return;
    await this.#settings.launcher.signal(this.#child, this.port, signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await this.#exited;
  }

  async restart() {
    await this.#end();
    await this.start();
  }

  async stop() {
    await this.#end();
    rmSync(join(this.dir, RECORD_FILE), { force: true });
    if (this.#settings.isTemporary) rmSync(this.dir, { recursive: true, force: true });
  }

  async #end() {
    const timer = setTimeout(() => void this.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.kill('SIGTERM');
    clearTimeout(timer);
  }

  #watch(child) {
    this.#child = child;
    if (child.pid) this.#untie = tieToUs(child.pid);
    this.#exited = new Promise((resolve) => {
      const end = () => {
        this.#untie?.();
        this.#child = undefined;
        resolve();
      };
      child.once('exit', end);
      child.once('error', end);
    });
  }

  async #waitUntilReady() {
    const startedAt = Date.now();
    let isAnnounced = false;
    while (this.isRunning && Date.now() - startedAt < READY_TIMEOUT_MS) {
      const reply = await ask(this.port, ['PING']).catch(() => '');
      if (reply.startsWith('+PONG') && (await servesDir(this.port, this.dir))) return;
      if (!isAnnounced && Date.now() - startedAt > PATIENCE_MS) {
        announce('waiting for Redis to load its data …');
        isAnnounced = true;
      }
      await sleep(POLL_MS);
    }
    await this.#end();
    throw new BootstrapError(
      `The embedded Redis did not start. Its log, ${join(this.dir, LOG_FILE)}, ends with:\n` +
        (lastLines(readLog(this.dir), LOG_LINES) || '(nothing)'),
    );
  }
}

/**
 * A server that an earlier command left on this folder, although it is tied to its command. Only one that answers on the
 * recorded port and serves this very folder is touched, and not while its owner lives.
 */
async function stopLeftOver(dir) {
  const record = readRecord(dir);
  if (!record || !(await servesDir(record.port, dir))) return;
  if (record.owner !== process.pid && isProcessAlive(record.owner)) {
    throw new BootstrapError(
      `Process ${record.owner} is at work here, with a Redis on port ${record.port} and the data in ${dir}. Two at once would spoil each other's: wait for its end, or stop it.`,
    );
  }
  await ask(record.port, ['SHUTDOWN', 'NOSAVE']).catch(() => undefined);
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (await servesDir(record.port, dir)) {
    if (Date.now() > deadline) {
      throw new BootstrapError(
        `A left-over Redis on port ${record.port} does not stop; its data are in ${dir}.`,
      );
    }
    await sleep(POLL_MS);
  }
}

function readRecord(dir) {
  try {
    return JSON.parse(readFileSync(join(dir, RECORD_FILE), 'utf8'));
  } catch {
    // Missing, or cut short by a kill: there is nobody we could name.
    return undefined;
  }
}

function readLog(dir) {
  const file = join(dir, LOG_FILE);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/**
 * A port on 127.0.0.1 that nobody has at this moment. Not one that the system gives to outgoing connections (32768 and up on
 * Linux, 49152 elsewhere): a busy test would take it before whoever asked for it listens there.
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(...GIVEN_PORTS);
    if (await isFree(port)) return port;
  }
}

function isFree(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', (error) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
