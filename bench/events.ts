/** How many of SES's events a dashboard takes in by HTTP, against the usual webhook that only counts them. */
import { once } from 'node:events';
import { loadCampaign, snapshotOf } from '@sendonce/shared/campaign';
import { Ledger } from '@sendonce/shared/ledger';
import { freezeRun, Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { SuppressionList } from '@sendonce/shared/suppression';
import { type EmbeddedRedis, freePort } from '../scripts/bootstrap/redis.mjs';
import { writeCampaign } from './campaign.js';
import { ask, start, stop } from './children.js';
import { commandsOf, until, usage } from './contenders.js';
import type { EventsOrder, SendingReport } from './eventSender.js';
import type { Target } from './table.js';

const TOPIC_ARN = 'arn:aws:sns:us-east-1:000000000000:sendonce-events';

export async function benchEvents(
  { url }: EmbeddedRedis,
  { rounds, events, tell }: { rounds: number; events: number; tell(line: string): void },
): Promise<Target[]> {
  const redis = connectRedis({ url, name: 'bench', logger: makeLogger('bench', 'silent') });
  const campaign = snapshotOf(await loadCampaign(await writeCampaign(events), 'news'));
  const sender = start('dist-bench/eventSender.js', {});
  await once(sender, 'message');
  const rates: number[] = [];
  const usual: number[] = [];
  const micros: number[] = [];
  const commands: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const prefix = `events-${Date.now()}`;
    const ledger = new Ledger({ redis, prefix });
    const runs = new Runs({ redis, prefix, clock });
    const suppressions = new SuppressionList({ redis, prefix, clock });
    const { run } = await runs.create(campaign, new Date(), 'manual');
    await freezeRun({ clock, ledger, runs, suppressions }, run);
    for (let chunk = 0; chunk * 500 < events; chunk++) await sendAll(ledger, { run, chunk });
    const order: EventsOrder = { run, events };
    const { certificateUrl } = await ask<{ certificateUrl: string }>(sender, order);

    const hookPort = await freePort();
    const hook = start('dist-bench/bareHook.js', {
      REDIS_URL: url,
      PORT: String(hookPort),
      SNS_LOCAL_CERTIFICATE_URL: certificateUrl,
    });
    await once(hook, 'message');
    const counted = await ask<SendingReport>(sender, { url: `http://127.0.0.1:${hookPort}/hooks/ses` });
    await stop(hook);
    usual.push(events / counted.seconds);

    const [publicPort, dashboardPort, healthPort] = await Promise.all([freePort(), freePort(), freePort()]);
    const dashboard = start('apps/dashboard/dist/main.js', {
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL_SESV2: 'http://127.0.0.1:9',
      DASHBOARD_HEALTH_PORT: String(healthPort),
      DASHBOARD_PORT: String(dashboardPort),
      LOG_LEVEL: 'error',
      PUBLIC_PORT: String(publicPort),
      REDIS_PREFIX: prefix,
      REDIS_URL: url,
      SNS_LOCAL_CERTIFICATE_URL: certificateUrl,
      SNS_TOPIC_ARNS: TOPIC_ARN,
    });
    const health = `http://127.0.0.1:${healthPort}`;
    await until(async () => (await fetch(`${health}/readyz`).catch(() => undefined))?.status === 200);
    const before = { ...(await usage({ health })), commands: await commandsOf(redis) };
    const taken = await ask<SendingReport>(sender, { url: `http://127.0.0.1:${publicPort}/hooks/ses` });
    const after = { ...(await usage({ health })), commands: await commandsOf(redis) };
    await stop(dashboard);
    const { delivered } = (await runs.get(run)).outcomes;
    if (delivered !== events || taken.refused > 0 || counted.refused > 0)
      throw new Error(`${delivered} of ${events} events were counted, ${taken.refused} were refused.`);
    rates.push(events / taken.seconds);
    micros.push(((after.cpuSeconds - before.cpuSeconds) * 1e6) / events);
    commands.push((after.commands - before.commands) / events);
    tell(
      `round ${round}/${rounds}  ${Math.round(rates.at(-1) ?? 0).toLocaleString('en-US')} events/s, the usual webhook ${Math.round(usual.at(-1) ?? 0).toLocaleString('en-US')}`,
    );
  }
  await stop(sender);
  await closeRedis(redis);
  return [
    { what: 'events a dashboard takes in, a second', values: rates },
    { what: 'the usual webhook, events/s', values: usual },
    {
      what: 'ours / the usual webhook',
      values: rates.map((rate, round) => rate / (usual[round] ?? Number.NaN)),
      atLeast: 1,
    },
    { what: 'dashboard, processor time an event', values: micros, unit: ' µs' },
    { what: 'Redis commands an event', values: commands },
  ];
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
