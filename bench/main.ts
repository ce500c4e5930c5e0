/**
 * `npm run bench -- [NAME…] [--full]`: what sending costs, as ratios of what was measured in the same run. Exits with 1 when a
 * target is missed.
 */
import { mkdtempSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type EmbeddedRedis, startRedis } from '../scripts/bootstrap/redis.mjs';
import { benchCaps } from './caps.js';
import { Endpoint } from './children.js';
import { benchCluster } from './cluster.js';
import { benchEvents } from './events.js';
import { benchFreezing } from './freezing.js';
import { benchLatency } from './latency.js';
import { benchMessages } from './messages.js';
import { benchMillion } from './million.js';
import { benchPostgres } from './postgres.js';
import { benchSending } from './sending.js';
import { judge, type Target } from './table.js';

interface Context {
  endpoint: Endpoint;
  redis: EmbeddedRedis;
  isFull: boolean;
}

const tell = (line: string): void => void process.stdout.write(`${line}\n`);

const BENCHMARKS: Record<
  string,
  { about: string; isDefault: boolean; run(context: Context): Promise<Target[]> }
> = {
  sending: {
    about: 'ours, the limit, and the usual twenty lines',
    isDefault: true,
    run: ({ endpoint, redis, isFull }) =>
      benchSending(endpoint, redis, {
        rounds: isFull ? 7 : 5,
        mails: isFull ? 80_000 : 40_000,
        isFull,
        tell,
      }),
  },
  freezing: {
    about: 'an audience from CSV',
    isDefault: true,
    run: ({ redis, isFull }) =>
      benchFreezing(redis, { rounds: 5, recipients: isFull ? 500_000 : 100_000, tell }),
  },
  caps: {
    about: 'frequency caps: time at the claim, memory',
    isDefault: false,
    run: ({ redis, isFull }) => benchCaps(redis, { people: isFull ? 4_000_000 : 1_000_000, tell }),
  },
  latency: {
    about: 'a slow SES: is the rate filled?',
    isDefault: false,
    run: ({ endpoint, redis }) => benchLatency(endpoint, redis, { rounds: 3, tell }),
  },
  messages: {
    about: 'single messages: accepting them, and their memory',
    isDefault: false,
    run: ({ redis }) => benchMessages(redis, { rounds: 3, messages: 20_000, tell }),
  },
  postgres: {
    about: 'a million from PostgreSQL, which has to be installed',
    isDefault: false,
    run: ({ redis, isFull }) => benchPostgres(redis, { rounds: isFull ? 3 : 1, tell }),
  },
  cluster: {
    about: 'one Redis, a cluster without and with WAIT, and WAITAOF where NEWER_REDIS_SERVERS has it',
    isDefault: false,
    run: ({ endpoint, redis, isFull }) =>
      benchCluster(endpoint, redis, { rounds: isFull ? 5 : 3, mails: isFull ? 40_000 : 20_000, tell }),
  },
  events: {
    about: "SES's events by HTTP, against the usual webhook",
    isDefault: false,
    run: ({ redis, isFull }) =>
      benchEvents(redis, { rounds: isFull ? 5 : 3, events: isFull ? 20_000 : 10_000, tell }),
  },
  million: {
    about: 'a run of a million',
    isDefault: false,
    run: ({ endpoint, redis }) => benchMillion(endpoint, redis, tell),
  },
};

const { names, isFull } = readArguments();
const redis = await startRedis({ dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-bench-')), 'redis') });
const endpoint = await Endpoint.start();
const targets: Target[] = [];
for (const name of names) targets.push(...((await BENCHMARKS[name]?.run({ endpoint, redis, isFull })) ?? []));
await redis.stop();
tell(
  `\n${cpus()[0]?.model ?? 'processor'} × ${cpus().length}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
);
process.exit(judge(targets) ? 0 : 1);

function readArguments(): { names: string[]; isFull: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { full: { type: 'boolean', default: false } },
    });
    const defaults = Object.keys(BENCHMARKS).filter((name) => values.full || BENCHMARKS[name]?.isDefault);
    const names = positionals.length > 0 ? positionals : defaults;
    if (names.every((name) => name in BENCHMARKS)) return { names, isFull: values.full };
  } catch {
    // An unknown option: the usage says which there are.
  }
  const list = Object.entries(BENCHMARKS).map(([name, { about }]) => `  ${name.padEnd(12)}${about}`);
  process.stderr.write(`usage: npm run bench -- [NAME…] [--full]\n${list.join('\n')}\n`);
  process.exit(2);
}
