/**
 * The dependencies, by a pinned pnpm that npx brings. A stamp says for which lockfile they are installed, so that a warm
 * start does not touch the network. Two commands that start at once take turns.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { announce, root, runQuietly } from './common.mjs';

/** Runs on Node 20, which pnpm 11 does not. No `packageManager` field: a frozen install of pnpm 12 refuses it. */
const PNPM = 'pnpm@12.21.0';
const STAMP = join(root, 'node_modules', '.sendonce-installed');
const LOCK = join(root, '.data', 'install.lock');

export async function install() {
  if (isInstalled()) return;
  await withLock(async () => {
    if (isInstalled()) return;
    announce('installing the dependencies (once, about 20 s)');
    await runQuietly('npx', ['--yes', PNPM, 'install', '--frozen-lockfile'], {
      env: { ...process.env, CI: 'true' },
    });
    writeFileSync(STAMP, fingerprint());
  });
}

function isInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint();
}

/** Of everything that decides what is installed. */
function fingerprint() {
  const manifests = ['apps', 'packages', 'bench']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name, 'package.json')));
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests].filter((file) =>
    existsSync(join(root, file)),
  );
  const hash = createHash('sha256').update(process.version);
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** A folder is made by one process only; it holds the pid, so that a lock whose owner died is taken over. */
async function withLock(action) {
  mkdirSync(join(root, '.data'), { recursive: true });
  for (let isOwner = false; !isOwner; ) {
    try {
      mkdirSync(LOCK);
      writeFileSync(join(LOCK, 'pid'), String(process.pid));
      isOwner = true;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (isStale()) rmSync(LOCK, { recursive: true, force: true });
      else await sleep(300);
    }
  }
  try {
    await action();
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

function isStale() {
  try {
    process.kill(Number(readFileSync(join(LOCK, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    // ENOENT: the owner is between making the folder and writing its pid.
    return error.code === 'ESRCH';
  }
}
