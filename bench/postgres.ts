/** A million recipients from a query: how fast they are frozen, and that memory does not grow with them. */

import { once } from 'node:events';
import { loadCampaign, snapshotOf } from '@sendonce/shared/campaign';
import { Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { makeCampaignDir, PostgresServer } from '@sendonce/shared/testing';
import type { EmbeddedRedis } from '../scripts/bootstrap/redis.mjs';
import { freePort } from '../scripts/bootstrap/redis.mjs';
import { WORKER_NODE_FLAGS } from '../scripts/commands.mjs';
import { start } from './children.js';
import type { FreezerReport } from './freezer.js';
import type { Target } from './table.js';

const MILLION = 1_000_000;
const SMALL = 10_000;
const VARIABLE = 'BENCH_DATABASE_URL';

/** 60 characters of merge data that no compression finds anything in, as the CSV of the other benchmarks has. */
const FILL = `create table readers as
  select 'reader' || n || '@example.com' as email, left(digest, 20) as name, substr(digest, 21, 40) as city
  from (select n, translate(encode(sha512(n::text::bytea), 'base64'), E'+/=\\n', '-_') as digest
    from generate_series(1, ${MILLION}) n) made`;

export async function benchPostgres(
  { url }: EmbeddedRedis,
  { rounds, tell }: { rounds: number; tell(line: string): void },
): Promise<Target[]> {
  const server = await PostgresServer.start(await freePort());
  tell(`a table of ${MILLION.toLocaleString('en-US')}`);
  await server.query(FILL);
  const rates: number[] = [];
  const peaks: number[] = [];
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const small = await freeze(url, server, SMALL);
    const large = await freeze(url, server, MILLION);
    rates.push(MILLION / large.seconds);
    peaks.push(large.peakMb);
    ratios.push(large.peakMb / small.peakMb);
    tell(
      `round ${round}/${rounds}  freezing ${Math.round(MILLION / large.seconds).toLocaleString('en-US')} recipients/s, ` +
        `${Math.round(large.peakMb)} MB (${Math.round(small.peakMb)} MB for ${SMALL.toLocaleString('en-US')})`,
    );
  }
  await server.stop();
  return [
    { what: `freezing ${MILLION.toLocaleString('en-US')} from PostgreSQL, recipients/s`, values: rates },
    { what: 'memory of the freezer at its peak, MB', values: peaks },
    { what: 'memory, a million / 10,000', values: ratios, atMost: 2 },
  ];
}

async function freeze(redisUrl: string, server: PostgresServer, recipients: number): Promise<FreezerReport> {
  const yaml = `from: Dif <updates@dif.io>\nsubject: News for {{ name }}\naudience:\n  postgres:\n    url_env: ${VARIABLE}\n    query: select email, name, city from readers limit ${recipients}\n`;
  const campaign = snapshotOf(await loadCampaign(makeCampaignDir({ yaml, body: 'In {{ city }}' }), 'news'));
  const redis = connectRedis({ url: redisUrl, name: 'bench', logger: makeLogger('bench', 'silent') });
  const prefix = `postgres-${Date.now()}`;
  const { run } = await new Runs({ redis, prefix, clock }).create(campaign, new Date(), 'manual');
  const child = start(
    'dist-bench/freezer.js',
    { REDIS_URL: redisUrl, REDIS_PREFIX: prefix, RUN: run, [VARIABLE]: server.url },
    { execArgv: WORKER_NODE_FLAGS },
  );
  const [report] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('The freezer has ended without a report.');
    }),
  ])) as [FreezerReport];
  await redis.flushdb();
  await closeRedis(redis);
  return report;
}
