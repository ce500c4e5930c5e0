import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catchUp, comesTo, describeSchedule, nextOccurrence, shownTime, wallTimeOf } from './index.js';
import { offsetMs } from './wallClock.js';

const HOUR_MS = 3_600_000;
const SCHEDULE = { cron: '0 9 * * *', timezone: 'Europe/Berlin', timezone_field: 'timezone' };
const iso = (instant: number) => new Date(instant).toISOString().replace(':00.000Z', 'Z');

describe('an occurrence on everybody’s own clock', () => {
  test('begins where the day does, and comes to the other zones when their clocks show its time', () => {
    const begins = nextOccurrence(SCHEDULE, new Date('2026-12-01T12:00:00Z'))?.getTime() ?? 0;
    expect(iso(begins)).toBe('2026-12-01T19:00Z');
    expect(iso(wallTimeOf(begins))).toBe('2026-12-02T09:00Z');
    expect(iso(comesTo('Pacific/Kiritimati', begins))).toBe('2026-12-01T19:00Z');
    expect(iso(comesTo('Asia/Kolkata', begins))).toBe('2026-12-02T03:30Z');
    expect(iso(comesTo('Europe/Berlin', begins))).toBe('2026-12-02T08:00Z');
    expect(iso(comesTo('America/New_York', begins))).toBe('2026-12-02T14:00Z');
    expect(iso(comesTo('Etc/GMT+12', begins))).toBe('2026-12-02T21:00Z');
  });

  test('moves on by the gap where clocks leave its time out, and comes the first time where they show it twice', () => {
    const at = (day: string) => Date.parse(`${day}T02:30:00Z`) - 14 * HOUR_MS;
    expect(iso(comesTo('Europe/Berlin', at('2027-03-28')))).toBe('2027-03-28T01:30Z');
    expect(iso(comesTo('Europe/Berlin', at('2026-10-25')))).toBe('2026-10-25T00:30Z');
    expect(iso(comesTo('Australia/Lord_Howe', at('2026-10-04') - 15 * 60_000))).toBe('2026-10-03T15:45Z');
  });

  test('shows its time on the clocks of any zone, or one that is later by the gap', () => {
    const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    const minutes = fc.integer({ min: Date.UTC(2024, 0) / 60_000, max: Date.UTC(2030, 0) / 60_000 });
    fc.assert(
      fc.property(zones, minutes, (zone, minute) => {
        const begins = minute * 60_000;
        const due = comesTo(zone, begins);
        expect(due - begins).toBeGreaterThanOrEqual(0);
        expect(due - begins).toBeLessThanOrEqual(27 * HOUR_MS);
        const shown = due + offsetMs(zone, due);
        const gap = offsetMs(zone, due) - offsetMs(zone, due - 24 * HOUR_MS);
        if (shown !== wallTimeOf(begins)) expect(shown).toBe(wallTimeOf(begins) + gap);
        // Nor have they shown it before: clocks change by quarters of an hour, and by no more than some hours.
        for (let before = due - 3 * HOUR_MS; before < due; before += HOUR_MS / 4)
          expect(before + offsetMs(zone, before)).not.toBe(wallTimeOf(begins));
      }),
      { numRuns: 500 },
    );
  });

  test('is shown by the schedule’s zone as what everybody’s clock shows', () => {
    const begins = new Date('2026-12-01T19:00:00Z');
    expect(shownTime(SCHEDULE, begins).toISOString()).toBe('2026-12-02T08:00:00.000Z');
    expect(shownTime({ cron: '0 9 * * *', timezone: 'UTC' }, begins)).toBe(begins);
    const audience = { csv: 'people.csv', address_field: 'email' };
    expect(describeSchedule({ audience, schedule: SCHEDULE })).toBe(
      "0 9 * * * (each recipient's zone, else Europe/Berlin)",
    );
  });

  test('is not missed by `skip` while it is still to come to some zone', () => {
    const begins = new Date('2026-12-01T19:00:00Z');
    const decide = (now: string) => catchUp('skip', begins, new Date(now), SCHEDULE, 300_000);
    expect(decide('2026-12-02T18:59:00Z')).toEqual({ run: begins });
    expect(decide('2026-12-02T19:01:00Z')).toEqual({ run: new Date('2026-12-02T19:00:00Z') });
    const yearly = { ...SCHEDULE, cron: '0 9 2 12 *' };
    const decideYearly = (now: string) => catchUp('skip', begins, new Date(now), yearly, 300_000);
    expect(decideYearly('2026-12-02T21:05:00Z')).toEqual({ run: begins });
    expect(decideYearly('2026-12-02T21:06:00Z')).toEqual({ skip: begins });
  });
});
