/**
 * Servers that have WAITAOF (Redis 7.2 and newer, Valkey): those that NEWER_REDIS_SERVERS names, paths separated by colons,
 * and one that is on the PATH. `.ci/run` brings both from Debian 13, since Debian 12 has neither.
 */
import { spawnSync } from 'node:child_process';
import { launcherOf } from './localRedis.mjs';

const named = (process.env.NEWER_REDIS_SERVERS ?? '').split(':').filter(Boolean);

export const newerServers = [...named, 'redis-server', 'valkey-server'].flatMap((program) => {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const [, name, major, minor] = /^(\w+) server v=(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  if (!name) return [];
  const isNewer = Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 2);
  return isNewer ? [{ name: `${name} ${major}.${minor}`, launcher: launcherOf(program) }] : [];
});
