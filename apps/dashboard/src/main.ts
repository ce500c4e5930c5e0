/** The dashboard process: two apps on two ports, one for operators, one for the public. */

import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { AuditTrail } from '@sendonce/shared/audit';
import { TroubleWatch } from '@sendonce/shared/conditions';
import { readHold } from '@sendonce/shared/continuity';
import { RunRequests, SchedulePauses } from '@sendonce/shared/control';
import { MailOutcomes, openSesEvents } from '@sendonce/shared/events';
import { awaitDurability, ClaimBarrier, Ledger } from '@sendonce/shared/ledger';
import { Clicks, LinkPages, LinkTokens, readLinkSecrets } from '@sendonce/shared/links';
import {
  checkRedis,
  EventMetrics,
  ProcessMetrics,
  SystemState,
  startTracing,
} from '@sendonce/shared/observe';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import {
  answerHealth,
  systemClock as clock,
  closeRedis,
  connectRedis,
  type Health,
  runProcess,
  type Service,
} from '@sendonce/shared/runtime';
import { readKnownAccount } from '@sendonce/shared/ses';
import { MessageTemplates, SingleMessages } from '@sendonce/shared/singleMessages';
import { openUnsubscribeLinks, SuppressionList } from '@sendonce/shared/suppression';
import type { Express } from 'express';
import { api } from './api/api.js';
import { operatorApp } from './operator/operatorApp.js';
import { LinkMetrics } from './public/linkMetrics.js';
import { publicApp } from './public/publicApp.js';
import { SnsMessages } from './public/snsMessages.js';

await runProcess('dashboard', async (services, settings, logger, { alerts, health, serveMetrics }) => {
  const { prefix, url } = settings.redis;
  const redis = connectRedis({ url, name: 'dashboard', logger, waitsForRedis: false });
  services.push({ name: 'redis', stop: () => closeRedis(redis) });
  health.add('redis', checkRedis(redis));
  const metrics = new ProcessMetrics({ alerts, health });
  serveMetrics(metrics);
  const tracing = await startTracing('dashboard', settings);
  if (tracing) services.unshift(tracing);
  const queues = openQueues(redis, prefix, tracing?.telemetry);
  services.push({ name: 'queues', stop: () => closeQueues(queues) });
  const { safeguard } = await awaitDurability(redis, settings.redis.minReplicas);
  const barrier = safeguard && new ClaimBarrier({ redis }, safeguard);
  if (barrier) services.push(barrier);
  const runs = new Runs({ redis, prefix, clock, barrier });
  const ledger = new Ledger({ redis, prefix, barrier });
  const suppressions = new SuppressionList({ redis, prefix, clock, barrier });
  const linkSecrets = await readLinkSecrets({ redis, prefix }, settings.public);
  const linkPages = new LinkPages({ redis, prefix, clock });
  services.push(linkPages);
  await linkPages.start();
  const redirects = {
    clicks: new Clicks({ redis }, { prefix, retentionMs: settings.ledgerRetentionMs }),
    linkPages,
    linkTokens: new LinkTokens(linkSecrets),
    metrics: new LinkMetrics(metrics),
    visitorSecret: linkSecrets[0] ?? '',
  };
  const links = await openUnsubscribeLinks({ redis, prefix }, settings.public);
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
  const sns = new SnsMessages({ clock, logger }, settings.sns);

  const audit = new AuditTrail({ redis, prefix, clock });
  const requests = new RunRequests(
    { clock, queues, redis, runs },
    { prefix, retentionMs: settings.ledgerRetentionMs },
  );
  const outcomes = new MailOutcomes({ redis, runs }, { prefix });
  const templates = new MessageTemplates({ clock }, settings);
  const messages = new SingleMessages(
    { clock, linkPages, logger, queues, redis, runs, suppressions, templates },
    { ...settings, prefix, durability: settings.redis },
  );
  services.push(messages);
  const programs = api(
    {
      audit,
      clicks: redirects.clicks,
      clock,
      ledger,
      logger,
      messages,
      outcomes,
      queues,
      requests,
      runs,
      suppressions,
    },
    { ...settings, keys: settings.apiKeys },
  );
  const operators = {
    audit,
    clicks: redirects.clicks,
    clock,
    ledger,
    logger,
    outcomes,
    pauses: new SchedulePauses({ redis, prefix }),
    prefix,
    queues,
    readAccount: () => readKnownAccount(redis, prefix),
    readHold: () => readHold(redis, prefix),
    redis,
    reputation,
    runs,
    suppressions,
  };
  services.push(await listen(await operatorApp(operators, settings, programs), settings.dashboard, health));
  services.push(
    await listen(
      publicApp({
        ...redirects,
        linkSecret: linkSecrets[0] ?? '',
        clock,
        events,
        links,
        logger,
        runs,
        sns,
        suppressions,
      }),
      settings.public,
      health,
    ),
  );
  const { host, port } = settings.dashboard;
  logger.info({ operators: `http://${host}:${port}`, public: settings.public.url }, 'dashboard ready');
});

/** Health is told before the app hears of the request: without a login, and without a word about what is wrong inside. */
function withHealth(app: Express, health: Health): RequestListener {
  return (request, response) => {
    answerHealth(health, request, response, 'brief').then((isAnswered) => {
      if (!isAnswered) app(request, response);
    });
  };
}

async function listen(
  app: Express,
  { host, port }: { host: string; port: number },
  health: Health,
): Promise<Service> {
  const server = createServer(withHealth(app, health)).listen(port, host);
  await once(server, 'listening');
  return {
    name: `http on ${host}:${port}`,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 2_000).unref();
      await closed;
    },
  };
}
