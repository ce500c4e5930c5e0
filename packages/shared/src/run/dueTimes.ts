/** When each recipient of a run is due, where recipients' own time zones say so (`timezone_field`). */
import { toFieldName } from '../audience/index.js';
import {
  type CampaignSnapshot,
  comesTo,
  hasOwnZones,
  isTimeZone,
  MISSED_AFTER_MS,
} from '../campaign/index.js';
import type { RunRecord } from './runRecord.js';

/** Zones that are remembered: there are some 600 names, and what is none of them may be anything. */
const MOST_REMEMBERED = 5_000;

export class DueTimes {
  /** Recipients whose field holds something that is no zone: they are served by the schedule's. */
  unknownZones = 0;
  readonly #begins: number;
  readonly #field: string;
  readonly #defaultZone: string;
  /** What is due before this was missed and is left out, ms. */
  readonly #missedBefore: number;
  readonly #known = new Map<string, number | undefined>();

  /** Undefined: everybody is due at once. So is a run that somebody has started: it is to go out now. */
  static of({ definition }: CampaignSnapshot, record: RunRecord): DueTimes | undefined {
    const { catch_up, schedule } = definition;
    if (record.origin !== 'schedule' || !hasOwnZones(schedule)) return undefined;
    const missedBefore =
      catch_up === 'skip' ? record.createdAt.getTime() - MISSED_AFTER_MS : Number.NEGATIVE_INFINITY;
    return new DueTimes(schedule, record.scheduledAt.getTime(), missedBefore);
  }

  private constructor(
    { timezone, timezone_field }: { timezone: string; timezone_field: string },
    begins: number,
    missedBefore: number,
  ) {
    this.#begins = begins;
    this.#field = toFieldName(timezone_field);
    this.#defaultZone = timezone;
    this.#missedBefore = missedBefore;
  }

  /** ms. @param fields merge fields of a recipient who was not met before. */
  dueAt(fields: Record<string, unknown>): number {
    const given = fields[this.#field];
    const zone = typeof given === 'string' ? given.trim() : (given ?? '');
    if (zone === '') return this.#ofZone(this.#defaultZone) as number;
    const dueAt = typeof zone === 'string' ? this.#ofZone(zone) : undefined;
    if (dueAt !== undefined) return dueAt;
    this.unknownZones += 1;
    return this.#ofZone(this.#defaultZone) as number;
  }

  /** It had passed when the run was created, and the campaign's `catch_up` is `skip`. */
  isMissed(dueAt: number): boolean {
    return dueAt < this.#missedBefore;
  }

  #ofZone(zone: string): number | undefined {
    if (this.#known.has(zone)) return this.#known.get(zone);
    const dueAt = isTimeZone(zone) ? comesTo(zone, this.#begins) : undefined;
    if (this.#known.size < MOST_REMEMBERED) this.#known.set(zone, dueAt);
    return dueAt;
  }
}
