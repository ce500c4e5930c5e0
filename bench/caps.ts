/** What a frequency cap costs at the claim, and what Redis takes to remember who got a mail. */
import { FrequencyCaps } from '@sendonce/shared/caps';
import { closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import type { EmbeddedRedis } from '../scripts/bootstrap/redis.mjs';
import { memoryOf } from './redisMemory.js';
import type { Target } from './table.js';

/** As a worker claims. */
const BATCH_SIZE = 100;
const CAP = { per: '24h', max: 2, group: 'notifications' };

export async function benchCaps(
  { url }: EmbeddedRedis,
  { people, tell }: { people: number; tell(line: string): void },
): Promise<Target[]> {
  const redis = connectRedis({ url, name: 'bench', logger: makeLogger('bench', 'silent') });
  const caps = new FrequencyCaps({ redis, prefix: `caps-${Date.now()}` });
  const before = await memoryOf(redis);
  const cpuBefore = process.cpuUsage();
  const beganAt = performance.now();
  for (let first = 0; first < people; first += BATCH_SIZE) {
    const some = Array.from({ length: BATCH_SIZE }, (_, n) => `reader${first + n}@mail.example.com`);
    await caps.take(CAP, 'news--20261124T100000Z', some);
  }
  const seconds = (performance.now() - beganAt) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const one = ((await memoryOf(redis)) - before) / people;
  tell(
    `a place for ${BATCH_SIZE} people: ${((seconds / people) * BATCH_SIZE * 1_000).toFixed(2)} ms, ${((user + system) / people).toFixed(1)} µs of our processor time each`,
  );
  await closeRedis(redis);
  return [
    {
      what: `Redis for ${people.toLocaleString('en-US')} people with a mail each, bytes a person`,
      values: [one],
      atMost: 40,
    },
  ];
}
