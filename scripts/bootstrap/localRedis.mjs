/** A Redis (or Valkey) server's program on this machine. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The program under its names. The checkers of RDB files are the same program, which goes by the name it is called with; on
 * Debian they come in `redis-tools`, so the server is there also where the package with the system service is not.
 */
const NAMES = [
  { file: 'redis-server', argv0: 'redis-server' },
  { file: 'valkey-server', argv0: 'valkey-server' },
  { file: 'redis-check-rdb', argv0: 'redis-server' },
  { file: 'valkey-check-rdb', argv0: 'valkey-server' },
];

/** Where package managers put programs, should the PATH not have it. */
const USUAL_PLACES = [
  '/usr/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/opt/homebrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
];

/** @returns {import('./redis.mjs').RedisLauncher | undefined} */
export function findLocalRedis(folders = [...pathFolders(), ...USUAL_PLACES]) {
  for (const { file, argv0 } of NAMES) {
    for (const folder of folders) {
      const program = join(folder, file);
      if (isExecutable(program) && isServer(program, argv0)) return localLauncher(program, argv0);
    }
  }
  return undefined;
}

/** A server's program by its path. */
export function launcherOf(program) {
  return localLauncher(program, program);
}

export function isOnPath(program) {
  return pathFolders().some((folder) => isExecutable(join(folder, program)));
}

function localLauncher(program, argv0) {
  return {
    // In a process group of its own: Ctrl-C must not stop Redis before those who use it.
    spawn: ({ args }) =>
      spawn(program, ['--bind', '127.0.0.1', ...args], { argv0, stdio: 'ignore', detached: true }),
    signal: (child, _port, signal) => void child.kill(signal),
  };
}

/** It may be there and not run, for example with another C library; then the next one is tried. */
function isServer(program, argv0) {
  const { stdout } = spawnSync(program, ['--version'], { argv0, encoding: 'utf8' });
  return /\bserver v=\d/i.test(stdout ?? '');
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function pathFolders() {
  return (process.env.PATH ?? '').split(delimiter).filter(Boolean);
}
