/** The dashboard process: two apps on two ports, one for operators, one for the public. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { AuditTrail } from '@sendonce/shared/audit';
import { openSesEvents } from '@sendonce/shared/events';
import { Ledger } from '@sendonce/shared/ledger';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import {
  systemClock as clock,
  closeRedis,
  connectRedis,
  runProcess,
  type Service,
} from '@sendonce/shared/runtime';
import { readKnownAccount } from '@sendonce/shared/ses';
import { openUnsubscribeLinks, SuppressionList } from '@sendonce/shared/suppression';
import type { Express } from 'express';
import { operatorApp } from './operator/operatorApp.js';
import { publicApp } from './public/publicApp.js';
import { SnsMessages } from './public/snsMessages.js';

await runProcess('dashboard', async (services, settings, logger) => {
  const { prefix, url } = settings.redis;
  const redis = connectRedis({ url, name: 'dashboard', logger, waitsForRedis: false });
  services.push({ name: 'redis', stop: () => closeRedis(redis) });
  const queues = openQueues(redis, prefix);
  services.push({ name: 'queues', stop: () => closeQueues(queues) });
  const runs = new Runs({ redis, prefix, clock });
  const ledger = new Ledger({ redis, prefix });
  const suppressions = new SuppressionList({ redis, prefix, clock });
  const links = await openUnsubscribeLinks({ redis, prefix }, settings.public);
  const { events, reputation } = openSesEvents(
    { clock, ledger, redis, runs, suppressions },
    { ...settings, prefix },
  );
  const sns = new SnsMessages({ clock, logger }, settings.sns);

  services.push(
    await listen(
      await operatorApp(
        {
          audit: new AuditTrail({ redis, prefix, clock }),
          clock,
          fenceMs: settings.fenceMs,
          ledger,
          logger,
          prefix,
          queues,
          readAccount: () => readKnownAccount(redis, prefix),
          redis,
          reputation,
          runs,
        },
        settings.dashboard,
      ),
      settings.dashboard,
    ),
  );
  services.push(
    await listen(publicApp({ clock, events, links, logger, runs, sns, suppressions }), settings.public),
  );
  const { host, port } = settings.dashboard;
  logger.info({ operators: `http://${host}:${port}`, public: settings.public.url }, 'dashboard ready');
});

async function listen(app: Express, { host, port }: { host: string; port: number }): Promise<Service> {
  const server = createServer(app).listen(port, host);
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
