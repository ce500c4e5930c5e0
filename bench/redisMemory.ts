/** What of Redis's memory goes to whom. */
import type { RedisConnection } from '@sendonce/shared/runtime';

/** All data, bytes. */
export async function memoryOf(redis: RedisConnection): Promise<number> {
  const [, bytes = '0'] = /used_memory_dataset:(\d+)/.exec(await redis.info('memory')) ?? [];
  return Number(bytes);
}

/** Of all keys whose name ends so, bytes. */
export async function memoryOfKeys(
  redis: RedisConnection,
  prefix: string,
  ends: readonly string[],
): Promise<number> {
  let bytes = 0;
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1_000);
    cursor = next;
    const wanted = keys.filter((key) => ends.some((end) => key.endsWith(end)));
    const sizes = await Promise.all(wanted.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    bytes += sizes.reduce<number>((sum, size) => sum + Number(size ?? 0), 0);
  } while (cursor !== '0');
  return bytes;
}
