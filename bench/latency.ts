/** Whether a worker fills the rate while SES takes its time, and what a mail costs at a rate that leaves it idle in between. */
import type { EmbeddedRedis } from '../scripts/bootstrap/redis.mjs';
import type { Endpoint } from './children.js';
import { type Cost, ours } from './contenders.js';
import type { Target } from './table.js';

/** The second rate is ten million an hour, docs/scale-out.md. */
const CASES = [
  { rate: 500, latencyMs: 20, atLeast: 99 },
  { rate: 500, latencyMs: 100, atLeast: 99 },
  { rate: 2_780, latencyMs: 20 },
];
const SECONDS = 10;

export async function benchLatency(
  endpoint: Endpoint,
  redis: EmbeddedRedis,
  { rounds, tell }: { rounds: number; tell(line: string): void },
): Promise<Target[]> {
  const targets: Target[] = [];
  for (const { rate, latencyMs, atLeast } of CASES) {
    const costs: Cost[] = [];
    for (let round = 1; round <= rounds; round++) {
      const cost = await ours(endpoint, redis, { client: 'light', mails: rate * SECONDS, rate, latencyMs });
      costs.push(cost);
      tell(`round ${round}/${rounds}  ${latencyMs} ms: ${cost.mailsPerSecond.toFixed(1)} of ${rate} mails/s`);
    }
    const at = `${rate}/s at ${latencyMs} ms`;
    targets.push(
      {
        what: `of ${at}`,
        values: costs.map(({ mailsPerSecond }) => (mailsPerSecond / rate) * 100),
        ...(atLeast && { atLeast }),
        unit: ' %',
      },
      { what: `processor time, ${at}`, values: costs.map(({ cpuMicros }) => cpuMicros), unit: ' µs' },
      { what: `Redis commands, ${at}`, values: costs.map(({ commands = 0 }) => commands) },
    );
  }
  return targets;
}
