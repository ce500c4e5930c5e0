/** The scheduler process: keeps BullMQ's job schedulers as the campaign files say. Any number may run. */
import { SchedulePauses } from '@sendonce/shared/control';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import { systemClock as clock, closeRedis, connectRedis, runProcess } from '@sendonce/shared/runtime';
import { assertClocksAgree, readRedisSkewMs } from '@sendonce/shared/ses';
import { CampaignWatcher } from './campaignWatcher.js';
import { ScheduleSync } from './scheduleSync.js';

await runProcess('scheduler', async (services, settings, logger) => {
  const { prefix, url } = settings.redis;
  const { campaignsDir } = settings;
  const redis = connectRedis({ url, name: 'scheduler', logger });
  services.push({ name: 'redis', stop: () => closeRedis(redis) });
  const queues = openQueues(redis, prefix);
  services.push({ name: 'queues', stop: () => closeQueues(queues) });
  const schedules = new ScheduleSync(
    {
      clock,
      logger,
      pauses: new SchedulePauses({ redis, prefix }),
      queues,
      runs: new Runs({ redis, prefix, clock }),
    },
    { campaignsDir },
  );
  // A clock that is an hour ahead would send an hour early. Checked before each look, since clocks jump.
  const assertClock = async (): Promise<void> =>
    assertClocksAgree({ redisMs: await readRedisSkewMs({ redis, clock }) });
  await assertClock();
  const sync = () => assertClock().then(() => schedules.runOnce());
  const watcher = new CampaignWatcher({ dir: campaignsDir, sync, logger });
  services.push(watcher);
  await watcher.start();
  logger.info({ campaigns_dir: campaignsDir }, 'scheduler ready');
});
