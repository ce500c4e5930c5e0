/**
 * When a campaign is due; pure. BullMQ's job schedulers compute their occurrences by these functions too (`repeatStrategy`,
 * in queue/), so that both agree. Summer time: see cronTimes.ts.
 */
import type { CatchUpPolicy, Schedule } from './campaignSchema.js';
import { CronTimes } from './cronTimes.js';
import { cronZone, spreadMs } from './ownZones.js';

/** An occurrence that is later than this was missed, and the campaign's `catch_up` decides; ms. */
export const MISSED_AFTER_MS = 5 * 60_000;

/** The first occurrence after a time; undefined when there is none any more. */
export function nextOccurrence(schedule: Schedule, after: Date): Date | undefined {
  if ('at' in schedule) {
    const at = new Date(schedule.at);
    return at > after ? at : undefined;
  }
  return toDate(new CronTimes(schedule.cron, cronZone(schedule)).next(after.getTime()));
}

/** The last occurrence at a time or before it; undefined when there was none yet. */
export function previousOccurrence(schedule: Schedule, atOrBefore: Date): Date | undefined {
  if ('at' in schedule) {
    const at = new Date(schedule.at);
    return at <= atOrBefore ? at : undefined;
  }
  return toDate(new CronTimes(schedule.cron, cronZone(schedule)).previous(atOrBefore.getTime()));
}

/** The occurrences after a time, up to and with another one, in order; lazily, since a schedule may have many. */
export function* occurrencesBetween(schedule: Schedule, after: Date, until: Date): Generator<Date> {
  const times = 'at' in schedule ? undefined : new CronTimes(schedule.cron, cronZone(schedule));
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
 * `latest` runs the latest one that has passed, and only that. With recipients' own zones it is only missed when it was
 * in the last of them; for whom it has passed when the run begins, freezing asks `catch_up` again.
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
  const lateMs = now.getTime() - newest.getTime() - spreadMs(schedule, newest.getTime());
  if (policy === 'latest' || lateMs <= graceMs) return { run: newest };
  return { skip: newest };
}

function toDate(instant: number | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant);
}
