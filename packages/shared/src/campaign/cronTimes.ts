/**
 * The instants of a cron expression in a time zone, as one fixed sequence: whoever asks, from wherever, gets the same ones.
 *
 * cron-parser parses the fields and knows the days, but its own instants depend on where the search starts (5.10.5): asked
 * from within the hour that comes twice it returns that hour's second copy, asked just after a gap it leaves the day out,
 * `prev()` differs from `next()` on both days, and zones with a half-hour shift skip a day or throw "loop limit exceeded". A
 * run's id is made of the instant, so each of these would be a second mail to everybody, or none.
 *
 * The rules, which are those of BullMQ's default strategy where that one is consistent (see the test):
 * - a time in the gap moves on by the gap's length (02:30 is 03:30), a time that comes twice runs the first time;
 * - an expression with all 24 hours means elapsed time: nothing in the gap, both copies of the hour that comes twice.
 */
import { type CronExpression, CronExpressionParser } from 'cron-parser';
import { offsetMs, shiftLocal } from './wallClock.js';

const MINUTE_MS = 60_000;
/** Clocks change at full quarters of an hour only; asking for each minute took 40 ms on such a day. */
const QUARTER_MS = 15 * MINUTE_MS;
const DAY_MS = 86_400_000;
const HOURS_A_DAY = 24;
/** The longest pause of an expression that has occurrences: 29 February, over a century without a leap day. */
const LONGEST_PAUSE_MS = 8.1 * 366 * DAY_MS;

export class CronTimes {
  readonly #timezone: string;
  /** Matches at midnight UTC of every day that the expression names; UTC has no gaps. */
  readonly #days: CronExpression;
  readonly #hours: readonly number[];
  readonly #minutes: readonly number[];

  /** @param cron five fields. @throws {Error} cron-parser's, when the expression is none. */
  constructor(cron: string, timezone: string) {
    const [, , ...dayFields] = cron.trim().split(/\s+/);
    const { hour, minute } = CronExpressionParser.parse(cron).fields;
    this.#timezone = timezone;
    this.#days = CronExpressionParser.parse(['0', '0', ...dayFields].join(' '), { tz: 'UTC' });
    this.#hours = hour.values;
    this.#minutes = minute.values;
  }

  /** The first instant after one, ms; undefined when there is none. */
  next(after: number): number | undefined {
    // A day earlier, because a gap may move an occurrence past midnight.
    this.#days.reset(new Date(this.#localDay(after) - DAY_MS - 1));
    for (;;) {
      const day = step(() => this.#days.next().getTime());
      if (day === undefined || day > after + LONGEST_PAUSE_MS) return undefined;
      const found = this.#instantsOn(day).find((instant) => instant > after);
      if (found !== undefined) return found;
    }
  }

  /** The last instant at one or before it, ms; undefined when there is none. */
  previous(atOrBefore: number): number | undefined {
    this.#days.reset(new Date(this.#localDay(atOrBefore) + DAY_MS + 1));
    for (;;) {
      const day = step(() => this.#days.prev().getTime());
      if (day === undefined || day < atOrBefore - LONGEST_PAUSE_MS) return undefined;
      const found = this.#instantsOn(day).findLast((instant) => instant <= atOrBefore);
      if (found !== undefined) return found;
    }
  }

  /** Midnight UTC of the date that calendars in the zone show at an instant. */
  #localDay(instant: number): number {
    return Math.floor((instant + offsetMs(this.#timezone, instant)) / DAY_MS) * DAY_MS;
  }

  /** In ascending order. @param day midnight UTC of a local date. */
  #instantsOn(day: number): number[] {
    const before = offsetMs(this.#timezone, day - DAY_MS);
    const isPlain = before === offsetMs(this.#timezone, day + 2 * DAY_MS);
    if (isPlain) return this.#localTimes(day).map((local) => local - before);
    if (this.#hours.length === HOURS_A_DAY) return this.#elapsedInstants(day);
    const instants = this.#localTimes(day).map((local) => shiftLocal(this.#timezone, local));
    return [...new Set(instants)].sort((a, b) => a - b);
  }

  #localTimes(day: number): number[] {
    return this.#hours.flatMap((hour) =>
      this.#minutes.map((minute) => day + (hour * 60 + minute) * MINUTE_MS),
    );
  }

  /** Every minute of a local day, however long it is, whose clock shows one of the minutes. */
  #elapsedInstants(day: number): number[] {
    const instants: number[] = [];
    for (let quarter = day - DAY_MS; quarter < day + 2 * DAY_MS; quarter += QUARTER_MS) {
      const offset = offsetMs(this.#timezone, quarter);
      for (let instant = quarter; instant < quarter + QUARTER_MS; instant += MINUTE_MS) {
        const local = instant + offset;
        const isOnDay = local >= day && local < day + DAY_MS;
        if (isOnDay && this.#minutes.includes(((local - day) / MINUTE_MS) % 60)) instants.push(instant);
      }
    }
    return instants;
  }
}

/** cron-parser throws when it finds no further day. */
function step(find: () => number): number | undefined {
  try {
    return find();
  } catch {
    return undefined;
  }
}
