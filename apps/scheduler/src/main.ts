/** The scheduler process: keeps BullMQ's job schedulers as the campaign files say. Any number may run. */

import { TroubleWatch } from '@sendonce/shared/conditions';
import { bringUpToDate, Continuity } from '@sendonce/shared/continuity';
import { SchedulePauses } from '@sendonce/shared/control';
import { ReputationWindow } from '@sendonce/shared/events';
import { addLedgerChecks, ProcessMetrics, SystemState, startTracing } from '@sendonce/shared/observe';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, runProcess } from '@sendonce/shared/runtime';
import { assertClocksAgree, readRedisSkewMs, SesClient } from '@sendonce/shared/ses';
import { CampaignWatcher } from './campaignWatcher.js';
import { ScheduleSync } from './scheduleSync.js';

await runProcess('scheduler', async (services, settings, logger, { alerts, health, serveMetrics }) => {
  const { prefix, url } = settings.redis;
  const { campaignsDir } = settings;
  const redis = connectRedis({ url, name: 'scheduler', logger });
  services.push({ name: 'redis', stop: () => closeRedis(redis) });
  const tracing = await startTracing('scheduler', settings);
  if (tracing) services.unshift(tracing);
  const queues = openQueues(redis, prefix, tracing?.telemetry);
  services.push({ name: 'queues', stop: () => closeQueues(queues) });
  const runs = new Runs({ redis, prefix, clock });
  await bringUpToDate({ redis, prefix });
  // It holds nothing itself: it remembers, for when no worker does.
  const continuity = new Continuity(
    { logger, redis, runs },
    { prefix, stateDir: settings.stateDir, name: 'scheduler' },
  );
  services.push(continuity);
  await continuity.start();
  const ses = new SesClient(settings.ses);
  services.push({ name: 'ses', stop: async () => ses.close() });
  addLedgerChecks(health, { clock, redis, ses }, settings);
  const metrics = new ProcessMetrics({ alerts, health });
  const reputation = new ReputationWindow({ redis, clock }, { prefix, limits: settings.reputation });
  services.push(
    new TroubleWatch(
      { alerts, clock, logger, queues, redis, reputation, runs },
      { prefix, minReplicas: settings.redis.minReplicas },
    ),
  );
  new SystemState(metrics, { prefix, queues, redis, reputation, runs });
  serveMetrics(metrics);
  const pauses = new SchedulePauses({ redis, prefix });
  const schedules = new ScheduleSync({ clock, logger, pauses, queues, runs }, { campaignsDir });
  // A clock that is an hour ahead would send an hour early. Checked before each look, since clocks jump.
  const assertClock = async (): Promise<void> =>
    assertClocksAgree({ redisMs: await readRedisSkewMs({ redis, clock }) });
  await assertClock();
  const sync = () => assertClock().then(() => schedules.runOnce());
  const watcher = new CampaignWatcher({ dir: campaignsDir, sync, logger });
  services.push(watcher);
  health.add('campaigns', () => watcher.standing());
  await watcher.start();
  logger.info({ campaigns_dir: campaignsDir }, 'scheduler ready');
});
