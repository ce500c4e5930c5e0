/**
 * One process at a time. The lock is a folder that holds one entry, named after its owner; it is taken by renaming a folder
 * with our entry onto it, which the system does only while it is missing or empty. So a lock never lacks its owner's name,
 * and what a dead owner left is taken away by removing its very entry: of two who find it, neither can remove the other's.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce, isProcessAlive } from './common.mjs';

const RETRY_MS = 100;
/** A wait is announced when it takes longer than this. */
const PATIENCE_MS = 2_000;

/**
 * @param {string} path the lock's folder.
 * @param {{ signal?: AbortSignal }} options ends the wait.
 */
export async function withLock(path, { signal }, action) {
  const owner = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const startedAt = Date.now();
  let isAnnounced = false;
  while (!tryToTake(path, owner)) {
    if (!isAnnounced && Date.now() - startedAt > PATIENCE_MS) {
      isAnnounced = true;
      announce(
        `waiting for process ${ownerPid(path) ?? ''}, which installs or compiles (if it doesn't: rm -r ${path})`,
      );
    }
    await sleep(RETRY_MS, undefined, { signal });
  }
  try {
    return await action();
  } finally {
    release(path, owner);
  }
}

function tryToTake(path, owner) {
  const own = `${path}.${owner}`;
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, owner), '');
  try {
    renameSync(own, path);
    return true;
  } catch (error) {
    rmSync(own, { recursive: true });
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    removeDeadOwner(path);
    return false;
  }
}

function removeDeadOwner(path) {
  for (const entry of entriesOf(path)) {
    if (!isProcessAlive(pidOf(entry))) ignoring(['ENOENT'], () => unlinkSync(join(path, entry)));
  }
}

function release(path, owner) {
  ignoring(['ENOENT'], () => unlinkSync(join(path, owner)));
  // Not empty: the next one has it already.
  ignoring(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(path));
}

function ownerPid(path) {
  return entriesOf(path).map(pidOf)[0];
}

function pidOf(entry) {
  return Number.parseInt(entry, 10);
}

function entriesOf(path) {
  return ignoring(['ENOENT'], () => readdirSync(path)) ?? [];
}

function ignoring(codes, action) {
  try {
    return action();
  } catch (error) {
    if (!codes.includes(error.code)) throw error;
    return undefined;
  }
}
