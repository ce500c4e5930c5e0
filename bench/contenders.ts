/** Who is measured: each sends so many mails, and says what it took. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCampaign } from '@sendonce/shared/campaign';
import { startRun } from '@sendonce/shared/control';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { Queue } from 'bullmq';
import type { EmbeddedRedis } from '../scripts/bootstrap/redis.mjs';
import { freePort } from '../scripts/bootstrap/redis.mjs';
import { WORKER_NODE_FLAGS } from '../scripts/commands.mjs';
import { writeCampaign } from './campaign.js';
import { ask, type Endpoint, start, stop } from './children.js';
import { enqueue, NAIVE_QUEUE, type NaiveEmail } from './naive/queue.js';

export type Client = 'light' | 'sdk';

/** What sending cost. */
export interface Cost {
  mailsPerSecond: number;
  /** Processor time of the senders a recipient, µs. */
  cpuMicros: number;
  /** Redis commands a recipient; undefined where there is no Redis. */
  commands?: number;
  /** Resident memory of a worker at its peak, bytes. */
  memory?: number;
}

const AWS = { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };

/** A bare loop, at the concurrency that was found best. */
export async function limit(
  endpoint: Endpoint,
  { client, mails, concurrency }: { client: Client; mails: number; concurrency: number },
): Promise<Cost> {
  const loop = start('dist-bench/bareLoop.js', {
    ...AWS,
    CLIENT: client,
    AWS_ENDPOINT_URL_SESV2: endpoint.url,
  });
  await once(loop, 'message');
  await ask(loop, { count: 2_000, concurrency });
  await endpoint.reset();
  const { cpuMs } = await ask<{ cpuMs: number }>(loop, { count: mails, concurrency });
  await stop(loop);
  return { mailsPerSecond: rateOf(await endpoint.report()), cpuMicros: (cpuMs * 1_000) / mails };
}

/** The usual twenty lines, with all their jobs added before the worker starts. */
export async function naive(
  endpoint: Endpoint,
  redis: EmbeddedRedis,
  { client, mails }: { client: Client; mails: number },
): Promise<Cost> {
  const prefix = `naive-${Date.now()}`;
  const queue = new Queue<NaiveEmail>(NAIVE_QUEUE, { connection: { url: redis.url }, prefix });
  for (let first = 0; first < mails; first += 1_000) {
    const emails = Array.from({ length: Math.min(1_000, mails - first) }, (_, index) => ({
      run: 'naive',
      position: first + index,
      to: `reader${first + index}@example.com`,
      name: `Reader ${first + index}`,
    }));
    await enqueue(queue, emails);
  }
  await endpoint.reset();
  const worker = start('dist-bench/naive/worker.js', {
    ...AWS,
    AWS_ENDPOINT_URL_SESV2: endpoint.url,
    REDIS_URL: redis.url,
    NAIVE_PREFIX: prefix,
    NAIVE_RATE: '1000000',
    NAIVE_CLIENT: client,
  });
  const report = await allOf(endpoint, mails);
  const { cpuMs } = await ask<{ cpuMs: number }>(worker, 'cpu');
  await stop(worker, 'SIGKILL');
  await queue.obliterate({ force: true });
  await queue.close();
  return { mailsPerSecond: rateOf(report), cpuMicros: (cpuMs * 1_000) / mails };
}

export interface OurOptions {
  client: Client;
  mails: number;
  workers?: number;
  /** Recipients a second, for all workers. */
  rate?: number;
  latencyMs?: number;
  /** The folder of campaigns, when it is there already. */
  campaignsDir?: string;
  /** Further settings of the workers. */
  env?: Record<string, string>;
  onProgress?(sent: number): void;
  /** Default: one of its own. */
  prefix?: string;
  /** Wait until the run's merge data are gone as well. */
  isClosed?: boolean;
}

/** Sendonce: real workers, from the start of a run to its last mail. What it costs is counted from the first mail on. */
export async function ours(
  endpoint: Endpoint,
  redis: Pick<EmbeddedRedis, 'url'>,
  { client, mails, workers = 1, rate = 1_000_000, latencyMs = 0, ...options }: OurOptions,
): Promise<Cost & { secondsToFirst: number }> {
  const prefix = options.prefix ?? `bench-${Date.now()}`;
  const campaignsDir = options.campaignsDir ?? (await writeCampaign(mails));
  const env = {
    ...AWS,
    AWS_ENDPOINT_URL_SESV2: endpoint.url,
    CAMPAIGNS_DIR: campaignsDir,
    STATE_DIR: `${campaignsDir}-state`,
    LOG_LEVEL: 'warn',
    REDIS_PREFIX: prefix,
    REDIS_URL: redis.url,
    SES_CLIENT: client,
    SES_MAX_RATE: String(rate),
    ...options.env,
  };
  const connection = connectRedis({ url: redis.url, name: 'bench', logger: makeLogger('bench', 'silent') });
  const queues = openQueues(connection, prefix);
  const runs = new Runs({ redis: connection, prefix, clock });
  const started = await Promise.all(Array.from({ length: workers }, () => startWorker(env)));
  await endpoint.reset(latencyMs);
  const beganAt = performance.now();
  const loaded = await loadCampaign(campaignsDir, 'news');
  const { record } = await startRun({ queues, runs }, loaded, { scheduledAt: new Date(), origin: 'manual' });
  await until(async () => (await endpoint.report()).mails > 0);
  const secondsToFirst = (performance.now() - beganAt) / 1_000;
  const before = await Promise.all(started.map(usage));
  const commandsBefore = await commandsOf(connection);
  const mailsBefore = (await endpoint.report()).mails;
  const report = await allOf(endpoint, mails, options.onProgress);
  const after = await Promise.all(started.map(usage));
  const commands = (await commandsOf(connection)) - commandsBefore;
  if (report.recipients !== mails) throw new Error(`${mails - report.recipients} have got no mail.`);
  await until(async () => (await runs.get(record.id)).status === 'finished');
  if (options.isClosed) await until(async () => (await runs.open()).length === 0);
  for (const { child } of started) await stop(child);
  await closeQueues(queues);
  await closeRedis(connection);
  const counted = mails - mailsBefore;
  const cpu = after.reduce(
    (sum, { cpuSeconds }, index) => sum + cpuSeconds - (before[index]?.cpuSeconds ?? 0),
    0,
  );
  return {
    mailsPerSecond: rateOf(report),
    cpuMicros: (cpu * 1e6) / counted,
    commands: commands / counted,
    memory: Math.max(...after.map(({ memory }) => memory)),
    secondsToFirst,
  };
}

interface StartedWorker {
  child: ChildProcess;
  health: string;
}

async function startWorker(env: NodeJS.ProcessEnv): Promise<StartedWorker> {
  const port = await freePort();
  const health = `http://127.0.0.1:${port}`;
  const child = start(
    'apps/worker/dist/main.js',
    { ...env, WORKER_HEALTH_PORT: String(port) },
    { execArgv: WORKER_NODE_FLAGS },
  );
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`The worker has ended with ${child.exitCode}.`);
    const response = await fetch(`${health}/readyz`).catch(() => undefined);
    return response?.status === 200;
  });
  return { child, health };
}

/** Of a process, by its metrics. */
export async function usage({
  health,
}: Pick<StartedWorker, 'health'>): Promise<{ cpuSeconds: number; memory: number }> {
  const text = await (await fetch(`${health}/metrics`)).text();
  const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
  return { cpuSeconds: read('process_cpu_seconds_total'), memory: read('process_resident_memory_bytes') };
}

/** Of all masters of a cluster. */
export async function commandsOf(redis: ReturnType<typeof connectRedis>): Promise<number> {
  const servers = 'nodes' in redis ? redis.nodes('master') : [redis];
  const stats = await Promise.all(servers.map((server) => server.info('stats')));
  return stats.reduce((sum, text) => sum + Number(/total_commands_processed:(\d+)/.exec(text)?.[1]), 0);
}

/** @throws when nothing moves any more. */
async function allOf(endpoint: Endpoint, mails: number, onProgress?: (sent: number) => void) {
  let last = { mails: -1, at: performance.now() };
  for (;;) {
    const report = await endpoint.report();
    onProgress?.(report.mails);
    if (report.mails >= mails) return report;
    if (report.mails > last.mails) last = { mails: report.mails, at: performance.now() };
    if (performance.now() - last.at > 60_000)
      throw new Error(`Nothing has come for a minute, after ${report.mails} of ${mails} mails.`);
    await sleep(20);
  }
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

function rateOf({ mails, firstAt, lastAt }: { mails: number; firstAt: number; lastAt: number }): number {
  return (mails - 1) / ((lastAt - firstAt) / 1_000);
}
