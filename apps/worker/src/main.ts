/** The worker process: wires settings, connections and services, and starts them. Any number of workers may run. */

import { FrequencyCaps } from '@sendonce/shared/caps';
import { TroubleWatch } from '@sendonce/shared/conditions';
import { bringUpToDate, Continuity } from '@sendonce/shared/continuity';
import { EventsQueue, openSesEvents } from '@sendonce/shared/events';
import { assertDurable, awaitDurability } from '@sendonce/shared/ledger';
import { Clicks, LinkPages, LinkTokens, readLinkSecrets } from '@sendonce/shared/links';
import {
  addContinuityCheck,
  addLedgerChecks,
  EventMetrics,
  ProcessMetrics,
  SystemState,
  startTracing,
} from '@sendonce/shared/observe';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, runProcess } from '@sendonce/shared/runtime';
import { assertClocksAgree, readClockSkew, SendRate, SesAccount, SesClient } from '@sendonce/shared/ses';
import {
  findLinkObstacle,
  LateSuppressions,
  openUnsubscribeLinks,
  SuppressionList,
} from '@sendonce/shared/suppression';
import { AbsenceProof } from './absence.js';
import { JobConsumer } from './jobConsumer.js';
import { MailRenderer } from './mailRenderer.js';
import { MeteredBarrier, MeteredChunkSender, MeteredLedger, MeteredSender } from './metered.js';
import { PinnedRuns } from './pinnedRuns.js';
import { Reconciler } from './reconcile.js';
import { SendMetrics } from './sendMetrics.js';

await runProcess('worker', async (services, settings, logger, { alerts, health, serveMetrics }) => {
  const { prefix, url } = settings.redis;
  const { configurationSet, maxRatePerSecond } = settings.ses;
  const redis = connectRedis({ url, name: 'worker', logger });
  services.push({ name: 'redis', stop: () => closeRedis(redis) });
  const tracing = await startTracing('worker', settings);
  if (tracing) services.unshift(tracing);
  const telemetry = tracing?.telemetry;
  const queues = openQueues(redis, prefix, telemetry);
  services.push({ name: 'queues', stop: () => closeQueues(queues) });
  const ses = new SesClient(settings.ses);
  addLedgerChecks(health, { clock, redis, ses }, settings);
  const metrics = new ProcessMetrics({ alerts, health });
  const measures = new SendMetrics(metrics);

  const durability = await awaitDurability(redis, settings.redis.minReplicas);
  assertDurable(durability, settings.redis);
  if (durability.mend) logger.warn({ detail: durability.detail }, 'redis keeps less than it could');
  const skew = await readClockSkew({ redis, ses, clock });
  assertClocksAgree(skew);
  if (skew.reason) logger.warn({ reason: skew.reason }, "SES can't be asked for its time");

  await bringUpToDate({ redis, prefix });
  const barrier = durability.safeguard && new MeteredBarrier(measures, { redis }, durability.safeguard);
  if (barrier) services.push(barrier);
  const runs = new Runs({ redis, prefix, clock, barrier });
  const continuity = new Continuity(
    { barrier, logger, redis, runs },
    { prefix, stateDir: settings.stateDir, name: 'worker' },
  );
  services.push(continuity);
  await continuity.start();
  addContinuityCheck(health, continuity);
  const ledger = new MeteredLedger(measures, { redis, prefix, barrier });
  const suppressions = new SuppressionList({ redis, prefix, clock, barrier });
  const { events, reputation } = openSesEvents(
    { clock, ledger, redis, runs, suppressions, onTaken: new EventMetrics(metrics).take },
    { ...settings, prefix },
  );
  services.push(
    new TroubleWatch(
      { alerts, clock, logger, queues, redis, reputation, runs },
      { prefix, minReplicas: settings.redis.minReplicas },
    ),
  );
  new SystemState(metrics, { prefix, queues, redis, reputation, runs });
  serveMetrics(metrics);
  if (!settings.public.linkSecret && !settings.ses.isLocal)
    logger.warn('LINK_SECRET is not set: links in mails are dead once the data of this Redis are lost');
  const links = await openUnsubscribeLinks({ redis, prefix }, settings.public);
  const linkTokens = new LinkTokens(await readLinkSecrets({ redis, prefix }, settings.public));
  const clicks = new Clicks({ redis }, { prefix, retentionMs: settings.ledgerRetentionMs });
  const linkPages = new LinkPages({ redis, prefix, clock });
  const linkObstacle = findLinkObstacle(settings);
  const pinnedRuns = new PinnedRuns(runs);
  const account = new SesAccount(
    { redis, ses, clock, logger },
    { prefix, refreshMs: settings.ses.accountRefreshMs },
  );
  const rate = new SendRate(
    { redis, account, clock },
    { prefix, ...(maxRatePerSecond && { maxRatePerSecond }) },
  );
  const metered = new MeteredSender(measures, ses);
  const eventPublishing = configurationSet ? { configurationSet } : {};
  const chunkSender = new MeteredChunkSender(
    measures,
    {
      account,
      caps: new FrequencyCaps({ redis, prefix }),
      clock,
      continuity,
      lateSuppressions: new LateSuppressions({ redis, prefix }),
      ledger,
      logger,
      pinnedRuns,
      queues,
      rate,
      renderer: new MailRenderer({ clicks, links, linkTokens, logger }, eventPublishing),
      runs,
      sender: tracing ? tracing.traced(metered) : metered,
      suppressions,
    },
    linkObstacle ? { linkObstacle } : {},
  );
  const absence = new AbsenceProof(
    { clock, events, logger, redis, sender: ses },
    { prefix, fenceMs: settings.fenceMs, ...eventPublishing },
  );

  const reconciler = new Reconciler(
    {
      absence,
      account,
      clock,
      continuity,
      events,
      ledger,
      logger,
      pinnedRuns,
      queues,
      redis,
      reputation,
      runs,
    },
    { ...settings, prefix },
  );
  const consumer = new JobConsumer(
    { chunkSender, clock, continuity, ledger, linkPages, logger, queues, redis, runs, suppressions },
    { ...settings, prefix, ...(telemetry && { telemetry }) },
  );
  services.push(reconciler, consumer);
  health.add('consumers', () => {
    if (!consumer.isConsuming) throw new Error('no jobs are taken');
    return 'take jobs';
  });
  reconciler.start();
  const { eventsQueueUrl: queueUrl, region } = settings.ses;
  if (queueUrl) {
    // Here, because workers always run, and any number of them share the queue's work.
    const eventsQueue = new EventsQueue(
      { events, logger },
      { queueUrl, region, topicArns: settings.sns.topicArns },
    );
    services.push(eventsQueue);
    eventsQueue.start();
  }
  await consumer.start();
  logger.info(
    { fence_seconds: settings.fenceMs / 1_000, ses: settings.ses.endpoint ?? settings.ses.region },
    'worker ready',
  );
});
