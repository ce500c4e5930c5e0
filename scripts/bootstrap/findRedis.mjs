/**
 * A Redis (or Valkey) server's program: on the PATH, from the system's package manager, from Docker. What is going to be
 * installed is announced first.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { announce, BootstrapError, runQuietly } from './common.mjs';

const PROGRAMS = ['redis-server', 'valkey-server'];
/** Where package managers put them, should the PATH not have it. */
const USUAL_PLACES = [
  '/usr/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
  '/home/linuxbrew/.linuxbrew/bin',
];

const PACKAGE_MANAGERS = [
  {
    program: 'apt-get',
    needsRoot: true,
    steps: [
      ['apt-get', 'update', '-qq'],
      ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
    ],
  },
  { program: 'dnf', needsRoot: true, steps: [['dnf', 'install', '-y', '-q', 'valkey']] },
  { program: 'apk', needsRoot: true, steps: [['apk', 'add', '--quiet', 'redis']] },
  { program: 'brew', needsRoot: false, steps: [['brew', 'install', '--quiet', 'redis']] },
];

/** @returns how to start a server: a program and the arguments that come before the server's own. */
export async function findRedis() {
  const found = findServer();
  if (found) return { program: found, args: [] };
  const installed = await installServer();
  if (installed) return { program: installed, args: [] };
  if (await hasDocker()) {
    announce('no Redis here: using the image redis:8 with Docker');
    return { program: 'docker', args: ['run', '--rm', '--init', '--network', 'host'], image: 'redis:8' };
  }
  throw new BootstrapError(
    [
      'A Redis server is needed and there is none: no REDIS_URL, no redis-server or valkey-server on the PATH, no package',
      'manager that we may use, no Docker. Any of these helps:',
      '  - install it: apt-get install redis-server, dnf install valkey, apk add redis, brew install redis',
      '  - name one that runs: REDIS_URL=redis://127.0.0.1:6379 npm run …',
    ].join('\n'),
  );
}

function findServer() {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...USUAL_PLACES];
  return folders
    .flatMap((folder) => PROGRAMS.map((program) => join(folder, program)))
    .find((path) => existsSync(path));
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

async function installServer() {
  const manager = PACKAGE_MANAGERS.find(({ program }) => isOnPath(program));
  if (!manager) return undefined;
  const isRoot = process.getuid?.() === 0;
  const prefix = manager.needsRoot && !isRoot ? ['sudo', '-n'] : [];
  if (prefix.length > 0 && !isOnPath('sudo')) return undefined;
  try {
    await withoutStartingServices(isRoot && manager.program === 'apt-get', async () => {
      for (const step of manager.steps) {
        const [program, ...args] = [...prefix, ...step];
        announce(`no Redis here, running: ${[program, ...args].join(' ')}`);
        await runQuietly(program, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
      }
    });
  } catch (error) {
    announce(`that did not work: ${error.message.split('\n').slice(0, 5).join('\n')}`);
  }
  return findServer();
}

/**
 * Debian starts a service as soon as it is installed; we want the program only. A policy file forbids the start, the way
 * that image builders do it, and is gone afterwards. https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
 */
async function withoutStartingServices(isDebian, action) {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = isDebian && !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await action();
  } finally {
    if (isOurs) rmSync(policy, { force: true });
  }
}

async function hasDocker() {
  if (!isOnPath('docker')) return false;
  return runQuietly('docker', ['info']).then(
    () => true,
    () => false,
  );
}
