/**
 * When a campaign is due; pure. BullMQ's job schedulers compute their occurrences by these functions too (`repeatStrategy`,
 * in queue/), so that both agree. Summer time: see cronTimes.ts.
 */
import type { CatchUpPolicy, Schedule } from './campaignSchema.js';
import { CronTimes } from './cronTimes.js';

/** The first occurrence after a time; undefined when there is none any more. */
export function nextOccurrence(schedule: Schedule, after: Date): Date | undefined {
  if ('at' in schedule) {
    const at = new Date(schedule.at);
    return at > after ? at : undefined;
  }
  return toDate(new CronTimes(schedule.cron, schedule.timezone).next(after.getTime()));
}

/** The last occurrence at a time or before it; undefined when there was none yet. */
export function previousOccurrence(schedule: Schedule, atOrBefore: Date): Date | undefined {
  if ('at' in schedule) {
    const at = new Date(schedule.at);
    return at <= atOrBefore ? at : undefined;
  }
  return toDate(new CronTimes(schedule.cron, schedule.timezone).previous(atOrBefore.getTime()));
}

/** The occurrences after a time, up to and with another one, in order; lazily, since a schedule may have many. */
export function* occurrencesBetween(schedule: Schedule, after: Date, until: Date): Generator<Date> {
  const times = 'at' in schedule ? undefined : new CronTimes(schedule.cron, schedule.timezone);
  let last = after;
  for (;;) {
    const next = times ? toDate(times.next(last.getTime())) : nextOccurrence(schedule, last);
    if (!next || next > until) return;
    yield next;
    last = next;
  }
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

function toDate(instant: number | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant);
}
