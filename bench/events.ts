/** How many of SES's events a dashboard takes in by HTTP, against the usual webhook that only counts them. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { DEFAULT_TOPIC_ARN } from '@sendonce/ses-local';
import { type CampaignSnapshot, loadCampaign, snapshotOf } from '@sendonce/shared/campaign';
import { Ledger } from '@sendonce/shared/ledger';
import { freezeRun, Runs } from '@sendonce/shared/run';
import {
  systemClock as clock,
  closeRedis,
  connectRedis,
  makeLogger,
  type RedisConnection,
} from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';
import { type EmbeddedRedis, freePort } from '../scripts/bootstrap/redis.mjs';
import { writeCampaign } from './campaign.js';
import { ask, start, stop } from './children.js';
import { commandsOf, until, usage } from './contenders.js';
import type { EventsOrder, SendingReport } from './eventSender.js';
import type { Target } from './table.js';

export async function benchEvents(
  { url }: EmbeddedRedis,
  { rounds, events, tell }: { rounds: number; events: number; tell(line: string): void },
): Promise<Target[]> {
  const redis = connectRedis({ url, name: 'bench', logger: makeLogger('bench', 'silent') });
  const campaign = snapshotOf(await loadCampaign(await writeCampaign(events), 'news'));
  const sender = start('dist-bench/eventSender.js', {});
  await once(sender, 'message');
  const usual: number[] = [];
  const taken: Intake[] = [];
  for (let round = 1; round <= rounds; round++) {
    const prefix = `events-${Date.now()}`;
    const run = await makeSentRun(redis, prefix, campaign, events);
    const order: EventsOrder = { run, events };
    const { certificateUrl } = await ask<{ certificateUrl: string }>(sender, order);
    const env = { REDIS_URL: url, SNS_LOCAL_CERTIFICATE_URL: certificateUrl };
    usual.push(events / (await countAll(sender, env)));
    const intake = await takeAllIn(sender, redis, { ...env, REDIS_PREFIX: prefix }, events);
    taken.push(intake);
    const { delivered } = (await new Runs({ redis, prefix, clock }).get(run)).outcomes;
    if (delivered !== events) throw new Error(`${delivered} of ${events} events were counted.`);
    const shown = [intake.perSecond, usual.at(-1) ?? 0].map((rate) =>
      Math.round(rate).toLocaleString('en-US'),
    );
    tell(`round ${round}/${rounds}  ${shown[0]} events/s, the usual webhook ${shown[1]}`);
  }
  await stop(sender);
  await closeRedis(redis);
  return [
    { what: 'events a dashboard takes in, a second', values: taken.map(({ perSecond }) => perSecond) },
    { what: 'the usual webhook, events/s', values: usual },
    {
      what: 'ours / the usual webhook',
      values: taken.map(({ perSecond }, round) => perSecond / (usual[round] ?? Number.NaN)),
      atLeast: 1,
    },
    {
      what: 'dashboard, processor time an event',
      values: taken.map(({ cpuMicros }) => cpuMicros),
      unit: ' µs',
    },
    { what: 'Redis commands an event', values: taken.map(({ commands }) => commands) },
  ];
}

interface Intake {
  perSecond: number;
  /** Processor time of the dashboard an event, µs. */
  cpuMicros: number;
  /** Redis commands an event, those in scripts counted. */
  commands: number;
}

/** @returns seconds in which the usual webhook has counted all of them. */
async function countAll(sender: ChildProcess, env: NodeJS.ProcessEnv): Promise<number> {
  const port = await freePort();
  const hook = start('dist-bench/bareHook.js', { ...env, PORT: String(port) });
  await once(hook, 'message');
  const seconds = await postAll(sender, port);
  await stop(hook);
  return seconds;
}

async function takeAllIn(
  sender: ChildProcess,
  redis: RedisConnection,
  env: NodeJS.ProcessEnv,
  events: number,
): Promise<Intake> {
  const [publicPort, dashboardPort, healthPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const dashboard = start('apps/dashboard/dist/main.js', {
    ...env,
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_SESV2: 'http://127.0.0.1:9',
    DASHBOARD_HEALTH_PORT: String(healthPort),
    DASHBOARD_PORT: String(dashboardPort),
    LOG_LEVEL: 'error',
    PUBLIC_PORT: String(publicPort),
    SNS_TOPIC_ARNS: DEFAULT_TOPIC_ARN,
  });
  const health = `http://127.0.0.1:${healthPort}`;
  await until(async () => (await fetch(`${health}/readyz`).catch(() => undefined))?.status === 200);
  const look = async () => ({ ...(await usage({ health })), commands: await commandsOf(redis) });
  const before = await look();
  const seconds = await postAll(sender, publicPort);
  const after = await look();
  await stop(dashboard);
  return {
    perSecond: events / seconds,
    cpuMicros: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / events,
    commands: (after.commands - before.commands) / events,
  };
}

async function postAll(sender: ChildProcess, port: number): Promise<number> {
  const url = `http://127.0.0.1:${port}/hooks/ses`;
  const { seconds, refused } = await ask<SendingReport>(sender, { url });
  if (refused > 0) throw new Error(`${refused} events were refused at ${url}.`);
  return seconds;
}

/** A run whose mails have all been accepted. */
async function makeSentRun(
  redis: RedisConnection,
  prefix: string,
  campaign: CampaignSnapshot,
  recipients: number,
): Promise<string> {
  const ledger = new Ledger({ redis, prefix });
  const runs = new Runs({ redis, prefix, clock });
  const suppressions = new SuppressionList({ redis, prefix, clock });
  const { run } = await runs.create(campaign, new Date(), 'manual');
  await freezeRun({ clock, ledger, runs, suppressions }, run);
  for (let chunk = 0; chunk * 500 < recipients; chunk++) await sendAll(ledger, { run, chunk });
  return run;
}

/** As if all mails of a chunk had been accepted. */
async function sendAll(ledger: Ledger, ref: { run: string; chunk: number }): Promise<void> {
  const claim = await ledger.claim(ref, 'bench', 500);
  const at = clock.now();
  await ledger.settle(
    ref,
    'bench',
    claim.positions.map((position) => ({ position, event: 'accept', at, detail: 'bench' })),
  );
}
