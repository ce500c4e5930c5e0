import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { withLock } from './lock.mjs';

const folders = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'sendonce-lock-'));
  folders.push(folder);
  return { folder, path: join(folder, 'some.lock') };
}

/** The number of a process that has ended. */
function deadPid() {
  return spawnSync('true').pid;
}

function leaveLock(path, owner) {
  mkdirSync(path);
  writeFileSync(join(path, owner), '');
}

/** @returns how many were inside at once, at most, when `count` of them asked together. */
async function mostAtOnce(path, count) {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: count }, () =>
      withLock(path, {}, async () => {
        most = Math.max(most, ++inside);
        await new Promise(setImmediate);
        inside--;
      }),
    ),
  );
  return most;
}

it('those who ask at once take turns', async () => {
  const { path, folder } = setup();
  expect(await mostAtOnce(path, 5)).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

it('a lock whose owner died is taken over, by one of those who wait', async () => {
  const { path } = setup();
  leaveLock(path, `${deadPid()}-00000000`);
  expect(await mostAtOnce(path, 5)).toBe(1);
});

it('a lock that was left without an owner is taken', async () => {
  const { path } = setup();
  mkdirSync(path);
  expect(await withLock(path, {}, async () => 'done')).toBe('done');
});

it('a lock of a living process is waited for, until the wait is called off', async () => {
  const { path, folder } = setup();
  const owner = `${process.ppid}-00000000`;
  leaveLock(path, owner);
  const wait = withLock(path, { signal: AbortSignal.timeout(150) }, async () => 'done');
  await expect(wait).rejects.toThrow('aborted');
  expect(readdirSync(folder)).toEqual(['some.lock']);
  expect(readdirSync(path)).toEqual([owner]);
});

it('the lock is free again after a failure', async () => {
  const { path } = setup();
  const failure = withLock(path, {}, async () => {
    throw new Error('no network');
  });
  await expect(failure).rejects.toThrow('no network');
  expect(existsSync(path)).toBe(false);
});
