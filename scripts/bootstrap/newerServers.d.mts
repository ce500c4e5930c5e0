import type { RedisLauncher } from './redis.mjs';

export interface NewerServer {
  name: string;
  launcher: RedisLauncher;
}

export const newerServers: NewerServer[];
