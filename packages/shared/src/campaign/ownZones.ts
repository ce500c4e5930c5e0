/**
 * Campaigns that everybody gets when their own clocks show the time (`timezone_field`). An occurrence is a wall time, which
 * comes to the earth's first zone first: there the schedule's expression is read, and then the occurrence begins. In every
 * other zone it comes later, in the last one 26 hours later. A run's id holds the instant of its beginning, so it pins the
 * wall time as well.
 *
 * What clocks leave out, or show twice, goes by the same rule as everywhere: see wallClock.ts.
 */
import type { Campaign, Schedule } from './campaignSchema.js';
import { isMessageTemplate } from './messageTemplate.js';
import { offsetMs, shiftLocal } from './wallClock.js';

/** UTC+14, without summer time since it changed sides of the date line (1995). */
const FIRST_ZONE = 'Pacific/Kiritimati';
/** UTC−12, where the day ends last. */
const LAST_ZONE = 'Etc/GMT+12';

type CronSchedule = Extract<Schedule, { cron: string }>;

/** The zone in which a schedule's expression is read. */
export function cronZone({ timezone, timezone_field }: CronSchedule): string {
  return timezone_field === undefined ? timezone : FIRST_ZONE;
}

/** Whether recipients' own zones say when they get it. */
export function hasOwnZones(
  schedule: Schedule | undefined,
): schedule is CronSchedule & { timezone_field: string } {
  return schedule !== undefined && 'cron' in schedule && schedule.timezone_field !== undefined;
}

/**
 * What has become of an occurrence whose job was made when its schedule was read in a zone, should the file say something
 * else about whose clocks count by now. One that was everybody's goes to everybody at once; one that was each recipient's
 * goes by the schedule's zone, and when it has not come there, it is the new schedule's to fire.
 * @returns the schedule and the time to run it by; undefined: not to be run.
 */
export function asRead(
  schedule: Schedule | undefined,
  scheduledAt: Date,
  zone: string | undefined,
  now: Date,
): { schedule: Schedule | undefined; scheduledAt: Date } | undefined {
  if (!schedule || !('cron' in schedule) || zone === undefined) return { schedule, scheduledAt };
  const wasOwn = zone === FIRST_ZONE;
  if (hasOwnZones(schedule) === wasOwn || cronZone(schedule) === zone) return { schedule, scheduledAt };
  if (wasOwn) {
    const comesAt = new Date(comesTo(schedule.timezone, scheduledAt.getTime()));
    return comesAt <= now ? { schedule, scheduledAt: comesAt } : undefined;
  }
  const { cron, timezone } = schedule;
  return { schedule: { cron, timezone }, scheduledAt };
}

/** What clocks show when an occurrence comes; a local time, ms. @param begins the instant in the first zone, ms. */
export function wallTimeOf(begins: number): number {
  return begins + offsetMs(FIRST_ZONE, begins);
}

/** When an occurrence comes to a zone, ms. */
export function comesTo(timezone: string, begins: number): number {
  return shiftLocal(timezone, wallTimeOf(begins));
}

/** From the first zone to the last; 0 where everybody gets it at once. */
export function spreadMs(schedule: Schedule, begins: number): number {
  return hasOwnZones(schedule) ? comesTo(LAST_ZONE, begins) - begins : 0;
}

/** An occurrence's time for people and templates: in the schedule's own zone it shows what every recipient's clock does. */
export function shownTime(schedule: Schedule | undefined, begins: Date): Date {
  return hasOwnZones(schedule) ? new Date(comesTo(schedule.timezone, begins.getTime())) : begins;
}

/**
 * `by hand`, `single messages`, `0 9 * * * (Europe/Berlin)`, `0 9 * * * (each recipient's zone, else Europe/Berlin)`.
 */
export function describeSchedule({ audience, schedule }: Pick<Campaign, 'audience' | 'schedule'>): string {
  if (isMessageTemplate({ audience })) return 'single messages';
  if (!schedule) return 'by hand';
  if ('at' in schedule) return `once, ${schedule.at}`;
  const whose = hasOwnZones(schedule) ? "each recipient's zone, else " : '';
  return `${schedule.cron} (${whose}${schedule.timezone})`;
}
