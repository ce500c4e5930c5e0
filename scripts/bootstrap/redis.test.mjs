import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findLocalRedis } from './localRedis.mjs';
import { startRedis } from './redis.mjs';
import { ask } from './resp.mjs';

const cleanups = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-redis-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  const dataDir = join(folder, 'data');
  const start = async (options) => {
    const server = await startRedis({ dataDir, ...options });
    cleanups.push(() => server.stop());
    return server;
  };
  return { dataDir, start, recordFile: join(dataDir, 'server.json') };
}

/** Another process with a server on this folder, to be killed. */
async function startOwner(dataDir) {
  const owner = fork(new URL('./testing/redisOwner.mjs', import.meta.url), [dataDir], { execArgv: [] });
  const [{ port }] = await once(owner, 'message');
  cleanups.push(async () => {
    owner.kill('SIGKILL');
    // Its Redis ends a moment after it, and until then writes into the folder.
    await vi.waitFor(() => expect(ask(port, ['PING'])).rejects.toThrow(), { timeout: 30_000 });
  });
  return { owner, port };
}

describe('an embedded Redis', () => {
  it('has every write on disk before its reply, and never evicts', async () => {
    const { port } = await setup().start();
    expect(await ask(port, ['CONFIG', 'GET', 'appendonly'])).toContain('yes');
    expect(await ask(port, ['CONFIG', 'GET', 'appendfsync'])).toContain('always');
    expect(await ask(port, ['CONFIG', 'GET', 'maxmemory-policy'])).toContain('noeviction');
  });

  it('has its data again when it was killed and is started on them', async () => {
    const redis = await setup().start();
    await ask(redis.port, ['SET', 'key', 'kept']);
    await redis.kill();
    expect(redis.isRunning).toBe(false);
    await redis.start();
    expect(await ask(redis.port, ['GET', 'key'])).toContain('kept');
    await redis.restart();
    expect(await ask(redis.port, ['GET', 'key'])).toContain('kept');
  });

  it('may be stopped twice, and while it is dead', async () => {
    const { start, recordFile } = setup();
    const redis = await start();
    await redis.kill();
    await redis.stop();
    await redis.stop();
    expect(existsSync(recordFile)).toBe(false);
  });

  it('starts empty when it is asked to be fresh', async () => {
    const { start } = setup();
    const first = await start();
    await ask(first.port, ['SET', 'key', 'old']);
    await first.stop();
    const second = await start({ isFresh: true });
    expect(await ask(second.port, ['GET', 'key'])).toBe('$-1\r\n');
  });

  it('takes its folder with it when that is temporary', async () => {
    const { start, dataDir } = setup();
    const redis = await start({ isTemporary: true });
    await redis.stop();
    expect(existsSync(dataDir)).toBe(false);
  });

  it('says what its log says when it does not start', async () => {
    const { start } = setup();
    await expect(start({ args: ['--appendfsync', 'sometimes'] })).rejects.toThrow(/redis\.log, ends with/);
  });

  it('ends with the process that started it, even when that is killed', async () => {
    const { owner, port } = await startOwner(setup().dataDir);
    owner.kill('SIGKILL');
    await vi.waitFor(() => expect(ask(port, ['PING'])).rejects.toThrow('ECONNREFUSED'), { timeout: 10_000 });
  });
});

describe('a folder with a server from before', () => {
  it('is refused while the owner of that server lives', async () => {
    const { dataDir, start } = setup();
    const { owner, port } = await startOwner(dataDir);
    await expect(start()).rejects.toThrow(`Process ${owner.pid} is at work here`);
    expect(await ask(port, ['PING'])).toBe('+PONG\r\n');
  });

  it('is taken over when that server was left behind', async () => {
    const { start, recordFile } = setup();
    const left = await start();
    await ask(left.port, ['SET', 'key', 'kept']);
    const record = JSON.parse(readFileSync(recordFile, 'utf8'));
    writeFileSync(recordFile, JSON.stringify({ ...record, owner: 2 ** 22 + 1 }));
    const next = await start();
    expect(left.isRunning).toBe(false);
    expect(await ask(next.port, ['GET', 'key'])).toContain('kept');
  });

  it("leaves another program's server alone, whatever the record says", async () => {
    const foreign = await setup().start();
    const { dataDir, start, recordFile } = setup();
    await (await start()).stop();
    expect(existsSync(dataDir)).toBe(true);
    writeFileSync(recordFile, JSON.stringify({ port: foreign.port, owner: 2 ** 22 + 1 }));
    await start();
    expect(await ask(foreign.port, ['PING'])).toBe('+PONG\r\n');
  });
});

it('a program that is there but does not run is passed over', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-path-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'redis-server'), '#!/bin/sh\nexit 127\n', { mode: 0o755 });
  writeFileSync(join(folder, 'valkey-server'), 'not a program', { mode: 0o644 });
  expect(findLocalRedis([folder])).toBeUndefined();
  writeFileSync(join(folder, 'redis-check-rdb'), '#!/bin/sh\necho "Server v=8.1.1 sha=0"\n', { mode: 0o755 });
  expect(findLocalRedis([folder])).toBeDefined();
});
