import type { RedisLauncher } from './redis.mjs';

/** A server's program by its path. */
export function launcherOf(program: string): RedisLauncher;
