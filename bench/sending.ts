/** What the promise costs: ours against a bare loop over the same client, and against the usual twenty lines. */
import type { EmbeddedRedis } from '../scripts/bootstrap/redis.mjs';
import type { Endpoint } from './children.js';
import { type Cost, limit, naive, ours } from './contenders.js';
import { median, type Target } from './table.js';

export interface SendingOptions {
  rounds: number;
  mails: number;
  isFull: boolean;
  tell(line: string): void;
}

type Contender = (mails: number) => Promise<Cost>;

/** The concurrencies among which the limit's best is looked for. */
const CONCURRENCIES = [32, 64, 128];

export async function benchSending(
  endpoint: Endpoint,
  redis: EmbeddedRedis,
  { rounds, mails, isFull, tell }: SendingOptions,
): Promise<Target[]> {
  const concurrency = await bestConcurrency(endpoint, mails, tell);
  const contenders: Record<string, Contender> = {
    'bare loop': (count) => limit(endpoint, { client: 'light', mails: count, concurrency }),
    'ours, 1 worker': (count) => ours(endpoint, redis, { client: 'light', mails: count }),
    'twenty lines, SDK': (count) => naive(endpoint, redis, { client: 'sdk', mails: count / 4 }),
    'twenty lines, light client': (count) => naive(endpoint, redis, { client: 'light', mails: count / 2 }),
    ...(isFull && {
      'bare loop, SDK': (count: number) => limit(endpoint, { client: 'sdk', mails: count / 4, concurrency }),
      'ours, SDK': (count: number) => ours(endpoint, redis, { client: 'sdk', mails: count / 4 }),
      'ours, 2 workers': (count: number) =>
        ours(endpoint, redis, { client: 'light', mails: count, workers: 2 }),
      'ours, 3 workers': (count: number) =>
        ours(endpoint, redis, { client: 'light', mails: count, workers: 3 }),
      'ours, 4 workers': (count: number) =>
        ours(endpoint, redis, { client: 'light', mails: count, workers: 4 }),
    }),
  };
  const costs = new Map<string, Cost[]>(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++)
    for (const [name, contender] of Object.entries(contenders)) {
      const cost = await contender(mails);
      costs.get(name)?.push(cost);
      tell(
        `round ${round}/${rounds}  ${name.padEnd(28)}${Math.round(cost.mailsPerSecond).toLocaleString('en-US').padStart(8)} mails/s ${cost.cpuMicros.toFixed(0).padStart(6)} µs`,
      );
    }
  return targetsOf(costs, isFull);
}

function targetsOf(costs: ReadonlyMap<string, Cost[]>, isFull: boolean): Target[] {
  const rate = (name: string): number[] =>
    (costs.get(name) ?? []).map(({ mailsPerSecond }) => mailsPerSecond);
  const ratio = (name: string, to: string): number[] =>
    rate(name).map((value, round) => value / (rate(to)[round] ?? Number.NaN));
  const ourCosts = costs.get('ours, 1 worker') ?? [];
  return [
    ...[...costs.keys()].map((name) => ({ what: `${name}, mails/s`, values: rate(name) })),
    { what: 'ours / bare loop', values: ratio('ours, 1 worker', 'bare loop'), atLeast: 0.85 },
    { what: 'ours / twenty lines, SDK', values: ratio('ours, 1 worker', 'twenty lines, SDK'), atLeast: 6 },
    {
      what: 'ours / twenty lines, light client',
      values: ratio('ours, 1 worker', 'twenty lines, light client'),
      atLeast: 2,
    },
    ...(isFull ? [{ what: 'ours, SDK / bare loop, SDK', values: ratio('ours, SDK', 'bare loop, SDK') }] : []),
    {
      what: 'worker, processor time a recipient',
      values: ourCosts.map(({ cpuMicros }) => cpuMicros),
      atMost: 90,
      unit: ' µs',
    },
    { what: 'Redis commands a recipient', values: ourCosts.map(({ commands = 0 }) => commands), atMost: 0.2 },
  ];
}

async function bestConcurrency(
  endpoint: Endpoint,
  mails: number,
  tell: (line: string) => void,
): Promise<number> {
  const tried: { concurrency: number; rate: number }[] = [];
  for (const concurrency of CONCURRENCIES) {
    const rates: number[] = [];
    for (let time = 0; time < 3; time++)
      rates.push((await limit(endpoint, { client: 'light', mails: mails / 2, concurrency })).mailsPerSecond);
    tried.push({ concurrency, rate: median(rates) });
  }
  const best = tried.reduce((a, b) => (b.rate > a.rate ? b : a));
  tell(`bare loop: best with ${best.concurrency} at once, of ${CONCURRENCIES.join(', ')}`);
  return best.concurrency;
}
