/** How much memory Redis has left: a server that is full refuses writes, and with them claims and settlements. */
import type { RedisConnection } from '../runtime/index.js';
import { mastersOf } from './durability.js';

export interface RedisMemory {
  usedBytes: number;
  /** `maxmemory`, or the machine's where there is none. */
  limitBytes: number;
  isLimited: boolean;
}

/** Of the master that is fullest. */
export async function readMemory(redis: RedisConnection): Promise<RedisMemory> {
  const servers = await Promise.all(
    (await mastersOf(redis)).map(async (master) => parseMemory(await master.info('memory'))),
  );
  const [fullest] = servers.sort((a, b) => b.usedBytes / b.limitBytes - a.usedBytes / a.limitBytes);
  if (!fullest) throw new Error('The Redis Cluster has no master.');
  return fullest;
}

function parseMemory(info: string): RedisMemory {
  const number = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const max = number('maxmemory');
  return {
    usedBytes: number('used_memory'),
    limitBytes: max > 0 ? max : number('total_system_memory'),
    isLimited: max > 0,
  };
}
