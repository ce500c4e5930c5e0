/** What it costs that a claim is safe: one Redis, a cluster, a cluster whose replicas are waited for, a disk that is. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newerServers } from '../scripts/bootstrap/newerServers.mjs';
import { type EmbeddedRedis, startRedis } from '../scripts/bootstrap/redis.mjs';
import { startRedisCluster } from '../scripts/bootstrap/redisCluster.mjs';
import type { Endpoint } from './children.js';
import { ours } from './contenders.js';
import type { Target } from './table.js';

interface Contender {
  url: string;
  mails: number;
  env?: Record<string, string>;
}

const ALWAYS = 'always';
const EVERYSEC = 'everysec + WAITAOF';

export async function benchCluster(
  endpoint: Endpoint,
  single: EmbeddedRedis,
  { rounds, mails, tell }: { rounds: number; mails: number; tell(line: string): void },
): Promise<Target[]> {
  const dir = mkdtempSync(join(tmpdir(), 'sendonce-bench-'));
  const cluster = await startRedisCluster({ dataDir: join(dir, 'cluster'), replicas: 1 });
  const newer: EmbeddedRedis[] = [];
  const contenders: Record<string, Contender> = {
    'one Redis': { url: single.url, mails },
    'a cluster': { url: cluster.url, mails, env: { REDIS_MIN_REPLICAS: '0' } },
    'a cluster + WAIT': { url: cluster.url, mails, env: { REDIS_MIN_REPLICAS: '1' } },
  };
  for (const { name, launcher } of newerServers)
    for (const [way, appendfsync] of [
      [ALWAYS, 'always'],
      [EVERYSEC, 'everysec'],
    ] as const) {
      const dataDir = join(dir, `newer-${newer.length}`);
      const redis = await startRedis({ dataDir, launcher, args: ['--appendfsync', appendfsync] });
      newer.push(redis);
      // A claim may wait for a second.
      contenders[`${name}, ${way}`] = { url: redis.url, mails: mails / 5 };
    }
  const rates = new Map<string, number[]>(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++)
    for (const [name, { url, env = {}, ...contender }] of Object.entries(contenders)) {
      const { mailsPerSecond } = await ours(endpoint, { url }, { client: 'light', env, ...contender });
      rates.get(name)?.push(mailsPerSecond);
      tell(
        `round ${round}/${rounds}  ${name.padEnd(32)}${Math.round(mailsPerSecond).toLocaleString('en-US').padStart(8)} mails/s`,
      );
    }
  await cluster.stop();
  for (const redis of newer) await redis.stop();
  rmSync(dir, { recursive: true, force: true });
  return targetsOf(rates);
}

function targetsOf(rates: ReadonlyMap<string, number[]>): Target[] {
  const ratio = (name: string, to: string): Target => ({
    what: `${name} / ${to}`,
    values: (rates.get(name) ?? []).map((value, round) => value / (rates.get(to)?.[round] ?? Number.NaN)),
  });
  return [
    ...[...rates].map(([name, values]) => ({ what: `${name}, mails/s`, values })),
    ratio('a cluster', 'one Redis'),
    ratio('a cluster + WAIT', 'a cluster'),
    ...newerServers.map(({ name }) => ratio(`${name}, ${EVERYSEC}`, `${name}, ${ALWAYS}`)),
  ];
}
