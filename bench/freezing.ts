/** How fast an audience from CSV is frozen, and what it takes of Redis. */
import { loadCampaign, snapshotOf } from '@sendonce/shared/campaign';
import { Ledger } from '@sendonce/shared/ledger';
import { freezeRun, Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';
import type { EmbeddedRedis } from '../scripts/bootstrap/redis.mjs';
import { writeCampaign } from './campaign.js';
import { memoryOf } from './redisMemory.js';
import type { Target } from './table.js';

export async function benchFreezing(
  { url }: EmbeddedRedis,
  { rounds, recipients, tell }: { rounds: number; recipients: number; tell(line: string): void },
): Promise<Target[]> {
  const campaign = snapshotOf(await loadCampaign(await writeCampaign(recipients), 'news'));
  const redis = connectRedis({ url, name: 'bench', logger: makeLogger('bench', 'silent') });
  const rates: number[] = [];
  const bytes: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const prefix = `freeze-${Date.now()}`;
    const services = {
      clock,
      ledger: new Ledger({ redis, prefix }),
      runs: new Runs({ redis, prefix, clock }),
      suppressions: new SuppressionList({ redis, prefix, clock }),
    };
    const before = await memoryOf(redis);
    const { run } = await services.runs.create(campaign, new Date(), 'manual');
    const beganAt = performance.now();
    await freezeRun(services, run);
    const seconds = (performance.now() - beganAt) / 1_000;
    rates.push(recipients / seconds);
    bytes.push(((await memoryOf(redis)) - before) / recipients);
    tell(
      `round ${round}/${rounds}  freezing ${Math.round(recipients / seconds).toLocaleString('en-US')} recipients/s`,
    );
  }
  await closeRedis(redis);
  return [
    {
      what: `freezing ${recipients.toLocaleString('en-US')} from CSV, recipients/s`,
      values: rates,
      atLeast: 50_000,
    },
    { what: 'Redis after freezing, bytes a recipient', values: bytes, atMost: 150 },
  ];
}
