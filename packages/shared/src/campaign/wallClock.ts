/** Time zones: what clocks show at an instant, and the instant of what they show. Local times are ms, as if they were UTC. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** The time zone exists. @param name of the IANA database; names of its past, as US/Eastern, too. */
export function isTimeZone(name: string): boolean {
  if (name !== 'UTC' && !name.includes('/')) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** How far clocks in the zone are ahead of UTC at an instant, ms. @throws {RangeError} when there is no such zone. */
export function offsetMs(timezone: string, instant: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timezone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1_000) * 1_000;
}

/**
 * The instant at which clocks in the zone show a local time: the first one when they do so twice; when they skip it, the
 * instant as if they had not been put forward, at which they show a time that is later by the gap.
 */
export function shiftLocal(timezone: string, local: number): number {
  // A day to either side lies beyond any shift; zones don't change twice in two days.
  const before = offsetMs(timezone, local - 86_400_000);
  const after = offsetMs(timezone, local + 86_400_000);
  const early = local - Math.max(before, after);
  const late = local - Math.min(before, after);
  if (early + offsetMs(timezone, early) === local) return early;
  if (late + offsetMs(timezone, late) === local) return late;
  return local - before;
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timezone, format);
  return format;
}
