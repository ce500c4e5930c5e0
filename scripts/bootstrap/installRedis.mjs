/**
 * Brings a Redis server by the system's package manager. What is going to be run is announced first, and nothing is asked:
 * where a password would be needed, the command to type is in the error.
 */
import { announce, runQuietly } from './common.mjs';
import { isOnPath } from './localRedis.mjs';

/**
 * `refresh`: run when nothing could be installed, as the lists of packages may be missing or old. `packages`: tried in turn.
 *
 * On Debian and its kin it is `redis-tools`: the server's program is in it (localRedis.mjs tells how), while `redis-server`
 * only adds a service that would be started at once, and again at every boot, on the usual port.
 */
const MANAGERS = [
  {
    program: 'apt-get',
    needsRoot: true,
    install: [
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      // Another apt may be at work; it would be a pity to fail for that.
      '-o',
      'DPkg::Lock::Timeout=120',
    ],
    packages: ['redis-tools'],
    refresh: ['update', '-qq'],
  },
  { program: 'dnf', needsRoot: true, install: ['install', '-y', '-q'], packages: ['valkey', 'redis'] },
  { program: 'apk', needsRoot: true, install: ['add', '--quiet'], packages: ['redis', 'valkey'] },
  { program: 'brew', needsRoot: false, install: ['install', '--quiet'], packages: ['redis'] },
];

/** @returns whether a package was installed. */
export async function installRedis() {
  const plan = makePlan({ isOnPath, isRoot: process.getuid?.() === 0 });
  if (!plan) return false;
  if (await runFirst(plan.install)) return true;
  if (!plan.refresh) return false;
  return (await runFirst([plan.refresh])) && runFirst(plan.install);
}

/**
 * @returns the commands that would bring a server here: any of `install`, if need be after `refresh`; or undefined where we
 *   can run none.
 */
export function makePlan({ isOnPath: has, isRoot }) {
  const manager = MANAGERS.find(({ program }) => has(program));
  if (!manager) return undefined;
  const { program, needsRoot, install, packages, refresh } = manager;
  if (needsRoot && !isRoot && !has('sudo')) return undefined;
  // -n: sudo must not ask for a password.
  const prefix = needsRoot && !isRoot ? ['sudo', '-n'] : [];
  const command = (args) => [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', program, ...args];
  return {
    install: packages.map((name) => command([...install, name])),
    ...(refresh && { refresh: command(refresh) }),
  };
}

/** What somebody with a password would type. */
export function typedCommand({ isOnPath: has, isRoot } = { isOnPath, isRoot: process.getuid?.() === 0 }) {
  const manager = MANAGERS.find(({ program }) => has(program));
  if (!manager) return 'redis or valkey, with the package manager of this system';
  const { program, needsRoot, install, packages } = manager;
  return `${needsRoot && !isRoot ? 'sudo ' : ''}${program} ${install[0]} ${packages[0]}`;
}

async function runFirst(commands) {
  for (const [program, ...args] of commands) {
    announce(`there is no Redis server here; running: ${[program, ...args].join(' ')}`);
    try {
      await runQuietly(program, args);
      return true;
    } catch (error) {
      announce(`that did not work: ${error.message}`);
    }
  }
  return false;
}
