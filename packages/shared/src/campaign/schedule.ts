/**
 * When a campaign is due. BullMQ's job schedulers compute their occurrences by these functions too, so that both agree.
 *
 * Summer time, as cron-parser has it: an occurrence in the hour that is left out runs an hour later, one in the hour that
 * comes twice runs once.
 */
import { CronExpressionParser } from 'cron-parser';
import type { CatchUpPolicy, Schedule } from './campaignSchema.js';

/** The first occurrence after a time; undefined when there is none any more. */
export function nextOccurrence(schedule: Schedule, after: Date): Date | undefined {
  if ('at' in schedule) {
    const at = new Date(schedule.at);
    return at > after ? at : undefined;
  }
  return parseCron(schedule, after).next().toDate();
}

/** The last occurrence at a time or before it; undefined when there was none yet. */
export function previousOccurrence(schedule: Schedule, atOrBefore: Date): Date | undefined {
  if ('at' in schedule) {
    const at = new Date(schedule.at);
    return at <= atOrBefore ? at : undefined;
  }
  // cron-parser looks at what lies strictly before; cron's own step is a minute.
  return parseCron(schedule, new Date(atOrBefore.getTime() + 1))
    .prev()
    .toDate();
}

/**
 * What to do with an occurrence that comes up now. Within `graceMs` it runs. Later it was missed: `skip` leaves it out,
 * `latest` runs the latest one that has passed, and only that.
 */
export function catchUp(
  policy: CatchUpPolicy,
  scheduledAt: Date,
  now: Date,
  schedule: Schedule,
  graceMs: number,
): { run: Date } | { skip: Date } {
  if (now.getTime() - scheduledAt.getTime() <= graceMs) return { run: scheduledAt };
  const latest = previousOccurrence(schedule, now) ?? scheduledAt;
  const newest = latest > scheduledAt ? latest : scheduledAt;
  if (policy === 'latest' || now.getTime() - newest.getTime() <= graceMs) return { run: newest };
  return { skip: newest };
}

function parseCron({ cron, timezone }: Extract<Schedule, { cron: string }>, currentDate: Date) {
  return CronExpressionParser.parse(cron, { tz: timezone, currentDate });
}
