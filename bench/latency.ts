/** Whether a worker fills the rate while SES takes its time. */
import type { EmbeddedRedis } from '../scripts/bootstrap/redis.mjs';
import type { Endpoint } from './children.js';
import { ours } from './contenders.js';
import type { Target } from './table.js';

const RATE = 500;

export async function benchLatency(
  endpoint: Endpoint,
  redis: EmbeddedRedis,
  { rounds, mails, tell }: { rounds: number; mails: number; tell(line: string): void },
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const latencyMs of [20, 100]) {
    const values: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const { mailsPerSecond } = await ours(endpoint, redis, {
        client: 'light',
        mails,
        rate: RATE,
        latencyMs,
      });
      values.push((mailsPerSecond / RATE) * 100);
      tell(`round ${round}/${rounds}  ${latencyMs} ms: ${mailsPerSecond.toFixed(1)} of ${RATE} mails/s`);
    }
    targets.push({ what: `of ${RATE}/s at ${latencyMs} ms`, values, atLeast: 99, unit: ' %' });
  }
  return targets;
}
