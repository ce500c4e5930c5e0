/** How fast single messages are accepted, and what one takes of Redis: alone in its chunk, and in a full one. */
import { LinkPages } from '@sendonce/shared/links';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { MessageTemplates, SingleMessages } from '@sendonce/shared/singleMessages';
import { SuppressionList } from '@sendonce/shared/suppression';
import { MESSAGE_YAML, makeCampaignDir } from '@sendonce/shared/testing';
import type { EmbeddedRedis } from '../scripts/bootstrap/redis.mjs';
import { memoryOf } from './redisMemory.js';
import type { Target } from './table.js';

const DAY_MS = 86_400_000;
/** So many at a time: as one after the other would come, and as many at once do. */
const ALONE = 1;
const TOGETHER = 500;

export async function benchMessages(
  { url }: EmbeddedRedis,
  { rounds, messages, tell }: { rounds: number; messages: number; tell(line: string): void },
): Promise<Target[]> {
  const redis = connectRedis({ url, name: 'bench', logger: makeLogger('bench', 'silent') });
  const campaignsDir = makeCampaignDir({ id: 'receipt', yaml: MESSAGE_YAML });
  const rates: number[] = [];
  const bytes: Record<number, number[]> = { [ALONE]: [], [TOGETHER]: [] };
  for (let round = 1; round <= rounds; round++) {
    for (const atOnce of [ALONE, TOGETHER]) {
      const prefix = `messages-${round}-${atOnce}`;
      const queues = openQueues(redis, prefix);
      const single = new SingleMessages(
        {
          clock,
          linkPages: new LinkPages({ redis, prefix, clock }),
          logger: makeLogger('bench', 'silent'),
          queues,
          redis,
          runs: new Runs({ redis, prefix, clock }),
          suppressions: new SuppressionList({ redis, prefix, clock }),
          templates: new MessageTemplates({ clock }, { campaignsDir }),
        },
        {
          prefix,
          journalRetentionMs: 14 * DAY_MS,
          ledgerRetentionMs: 90 * DAY_MS,
          durability: { allowsVolatile: true, minReplicas: 0 },
        },
      );
      const accept = (number: number) =>
        single.accept({
          client: 'bench',
          idempotencyKey: `order ${number}`,
          template: 'receipt',
          to: `reader${number}@example.com`,
          data: { first_name: `Reader ${number}` },
        });
      // The first one makes the run, and has the template compiled.
      await accept(-1);
      const count = atOnce === ALONE ? messages / 10 : messages;
      const before = await memoryOf(redis);
      const beganAt = performance.now();
      for (let first = 0; first < count; first += atOnce)
        await Promise.all(Array.from({ length: atOnce }, (_, index) => accept(first + index)));
      if (atOnce === TOGETHER) rates.push((count / (performance.now() - beganAt)) * 1_000);
      // Jobs go once they are done.
      await queues.messages.obliterate({ force: true });
      bytes[atOnce]?.push(((await memoryOf(redis)) - before) / count);
      await closeQueues(queues);
    }
    tell(
      `round ${round}/${rounds}  accepting ${Math.round(rates.at(-1) ?? 0).toLocaleString('en-US')} messages/s`,
    );
  }
  await closeRedis(redis);
  return [
    { what: `accepting messages, ${TOGETHER} at once, a second`, values: rates, atLeast: 1_000 },
    { what: 'Redis, bytes a message in a full chunk', values: bytes[TOGETHER] ?? [], atMost: 400 },
    { what: 'Redis, bytes a message in a chunk of its own', values: bytes[ALONE] ?? [], atMost: 1_500 },
  ];
}
