/**
 * An occurrence of a campaign is due: its run is created, under the id of the *scheduled* time, and its freezing put on
 * the queue. Quick on purpose: BullMQ makes the next occurrence's job when this one starts.
 */
import { type Campaign, catchUp, loadCampaign } from '@sendonce/shared/campaign';
import { startRun } from '@sendonce/shared/control';
import type { Queues } from '@sendonce/shared/queue';
import type { Runs } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import type { Outcome } from './outcomes.js';

/** An occurrence that is later than this was missed, and the campaign's `catch_up` decides; ms. */
const MISSED_AFTER_MS = 5 * 60_000;

export interface DueServices {
  runs: Runs;
  queues: Queues;
  clock: Clock;
  logger: Logger;
}

/**
 * @param scheduledAt the time that the schedule says, from the job's id, however late it is now.
 * @throws {CampaignFileError} when the campaign's files are wrong at this time; the job fails and shows why.
 */
export async function startOccurrence(
  { runs, queues, clock, logger }: DueServices,
  { campaignsDir, campaign, scheduledAt }: { campaignsDir: string; campaign: string; scheduledAt: Date },
): Promise<Outcome> {
  const loaded = await loadCampaign(campaignsDir, campaign);
  const decision = decide(loaded.definition, scheduledAt, new Date(clock.now()));
  if ('skip' in decision) {
    logger.warn({ campaign, scheduled_at: decision.skip }, 'occurrence missed and skipped, as catch_up says');
    return 'done';
  }
  const start = { scheduledAt: decision.run, origin: 'schedule' } as const;
  const { record, created } = await startRun({ queues, runs }, loaded, start);
  logger.info({ run: record.id, created }, created ? 'run created' : 'run exists, nothing to create');
  return 'done';
}

function decide({ catch_up, schedule }: Campaign, scheduledAt: Date, now: Date): ReturnType<typeof catchUp> {
  if (!schedule) return { run: scheduledAt };
  return catchUp(catch_up, scheduledAt, now, schedule, MISSED_AFTER_MS);
}
