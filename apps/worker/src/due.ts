/**
 * An occurrence of a campaign is due: its run is created, under the id of the *scheduled* time, and its freezing put on
 * the queue. Quick on purpose: BullMQ makes the next occurrence's job when this one starts.
 */
import { asRead, type Campaign, catchUp, loadCampaign, MISSED_AFTER_MS } from '@sendonce/shared/campaign';
import { startRun } from '@sendonce/shared/control';
import type { Queues } from '@sendonce/shared/queue';
import type { Runs } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import type { Outcome } from './outcomes.js';

export interface DueServices {
  runs: Runs;
  queues: Queues;
  clock: Clock;
  logger: Logger;
}

export interface Occurrence {
  campaignsDir: string;
  campaign: string;
  /** The time that the schedule says, from the job's id, however late it is now. */
  scheduledAt: Date;
  /** In which the schedule was read when the job was made. */
  zone?: string;
}

/**
 * @throws {CampaignFileError} when the campaign's files are wrong at this time; the job fails and shows why.
 */
export async function startOccurrence(
  { runs, queues, clock, logger }: DueServices,
  { campaignsDir, campaign, scheduledAt, zone }: Occurrence,
): Promise<Outcome> {
  const loaded = await loadCampaign(campaignsDir, campaign);
  const { definition } = loaded;
  const now = new Date(clock.now());
  const read = asRead(definition.schedule, scheduledAt, zone, now);
  if (!read) {
    logger.info({ campaign, scheduled_at: scheduledAt }, 'occurrence left to the schedule as it is now');
    return 'done';
  }
  const { schedule } = read;
  const ofThen = { ...loaded, definition: { ...definition, ...(schedule && { schedule }) } };
  const decision = decide(ofThen.definition, read.scheduledAt, now);
  if ('skip' in decision) {
    logger.warn({ campaign, scheduled_at: decision.skip }, 'occurrence missed and skipped, as catch_up says');
    return 'done';
  }
  const start = { scheduledAt: decision.run, origin: 'schedule' } as const;
  const { record, created } = await startRun({ queues, runs }, ofThen, start);
  logger.info({ run: record.id, created }, created ? 'run created' : 'run exists, nothing to create');
  return 'done';
}

function decide({ catch_up, schedule }: Campaign, scheduledAt: Date, now: Date): ReturnType<typeof catchUp> {
  if (!schedule) return { run: scheduledAt };
  return catchUp(catch_up, scheduledAt, now, schedule, MISSED_AFTER_MS);
}
