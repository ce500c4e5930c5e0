/**
 * The dependencies, by a pinned pnpm that npx brings. A stamp says for which lockfile they are installed, so that a warm
 * start asks nobody: neither the network nor npx. To be called under a lock.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { announce, root, runQuietly } from './common.mjs';

/** Runs on Node 20, which pnpm 11 does not. No `packageManager` field: a frozen install of pnpm 12 refuses it. */
const PNPM = 'pnpm@12.21.0';
const STAMP = join(root, 'node_modules', '.sendonce-install');
const WORKSPACE_FOLDERS = ['apps', 'packages'];

export async function install({ signal } = {}) {
  if (isInstalled()) return;
  announce('installing the dependencies (only when they have changed; about 20 s)');
  // First the stamp goes: an install that is cut short must not pass for the one before it.
  rmSync(STAMP, { force: true });
  const env = { ...process.env, CI: 'true' };
  await runQuietly('npx', ['--yes', PNPM, 'install', '--frozen-lockfile'], { env, signal });
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, fingerprint(root));
}

function isInstalled() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint(root);
}

/** Of everything that decides what is installed: manifests, lockfile, and Node, for which some packages are chosen. */
export function fingerprint(folder, nodeVersion = process.version) {
  const manifests = WORKSPACE_FOLDERS.filter((parent) => existsSync(join(folder, parent))).flatMap((parent) =>
    readdirSync(join(folder, parent))
      .sort()
      .map((name) => join(parent, name, 'package.json')),
  );
  const hash = createHash('sha256').update(`${nodeVersion} ${process.platform} ${process.arch}`);
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', ...manifests]) {
    const path = join(folder, file);
    if (!existsSync(path)) continue;
    const content = readFileSync(path);
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
