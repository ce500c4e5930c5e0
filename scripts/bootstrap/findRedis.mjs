/** Where a Redis (or Valkey) server comes from: this machine, its package manager, Docker; in this order. */
import { BootstrapError } from './common.mjs';
import { dockerLauncher, isDockerUsable } from './dockerRedis.mjs';
import { installRedis, typedCommand } from './installRedis.mjs';
import { findLocalRedis } from './localRedis.mjs';

/** @returns {Promise<import('./redis.mjs').RedisLauncher>} */
export async function findRedis() {
  const local = findLocalRedis() ?? ((await installRedis()) ? findLocalRedis() : undefined);
  if (local) return local;
  if (await isDockerUsable()) return dockerLauncher();
  throw new BootstrapError(
    [
      'A Redis server is needed, and there is none: REDIS_URL is not set, redis-server and valkey-server are not on the PATH,',
      'no package manager could install one, and Docker is not there. Either of these helps:',
      `  - install one: ${typedCommand()}`,
      '  - name one that runs and may be written to: REDIS_URL=redis://127.0.0.1:6379 npm run …',
    ].join('\n'),
    2,
  );
}
