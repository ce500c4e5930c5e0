import { defaultRepeatStrategy } from 'bullmq';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catchUp, nextOccurrence, occurrencesBetween, previousOccurrence } from './index.js';

const iso = (dates: Iterable<Date>) => [...dates].map((date) => date.toISOString().replace(':00.000Z', 'Z'));
const daily = (cron: string, timezone: string) => ({ cron, timezone });

/** The days on which clocks change in 2026 and 2027, and what a schedule does from the day before to the day after. */
const CHANGES: [zone: string, what: string, cron: string, from: string, to: string, expected: string[]][] = [
  [
    'Europe/Berlin',
    'gap 2026: 02:30 runs at 03:30',
    '30 2 * * *',
    '2026-03-28T00Z',
    '2026-03-31T00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:30Z', '2026-03-30T00:30Z'],
  ],
  [
    'Europe/Berlin',
    'gap 2027: 02:30 runs at 03:30',
    '30 2 * * *',
    '2027-03-27T00Z',
    '2027-03-30T00Z',
    ['2027-03-27T01:30Z', '2027-03-28T01:30Z', '2027-03-29T00:30Z'],
  ],
  [
    'Europe/Berlin',
    'doubled 2026: 02:30 runs once',
    '30 2 * * *',
    '2026-10-24T00Z',
    '2026-10-27T00Z',
    ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'Europe/Berlin',
    'doubled 2027: 02:30 runs once',
    '30 2 * * *',
    '2027-10-30T00Z',
    '2027-11-02T00Z',
    ['2027-10-30T00:30Z', '2027-10-31T00:30Z', '2027-11-01T01:30Z'],
  ],
  [
    'Europe/Berlin',
    '10:00 stays 10:00',
    '0 10 * * *',
    '2026-10-24T00Z',
    '2026-10-26T12Z',
    ['2026-10-24T08:00Z', '2026-10-25T09:00Z', '2026-10-26T09:00Z'],
  ],
  [
    'Europe/Berlin',
    'every hour goes on in both copies',
    '0 * * * *',
    '2026-10-24T23Z',
    '2026-10-25T03Z',
    ['2026-10-25T00:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z', '2026-10-25T03:00Z'],
  ],
  [
    'Europe/Berlin',
    'every hour leaves out the hour that is not there',
    '0 * * * *',
    '2026-03-28T23Z',
    '2026-03-29T02Z',
    ['2026-03-29T00:00Z', '2026-03-29T01:00Z', '2026-03-29T02:00Z'],
  ],
  [
    'America/New_York',
    'gap 2026: 02:30 runs at 03:30',
    '30 2 * * *',
    '2026-03-07T00Z',
    '2026-03-10T00Z',
    ['2026-03-07T07:30Z', '2026-03-08T07:30Z', '2026-03-09T06:30Z'],
  ],
  [
    'America/New_York',
    'gap 2027: 02:30 runs at 03:30',
    '30 2 * * *',
    '2027-03-13T00Z',
    '2027-03-16T00Z',
    ['2027-03-13T07:30Z', '2027-03-14T07:30Z', '2027-03-15T06:30Z'],
  ],
  [
    'America/New_York',
    'doubled 2026: 01:30 runs once',
    '30 1 * * *',
    '2026-10-31T00Z',
    '2026-11-03T00Z',
    ['2026-10-31T05:30Z', '2026-11-01T05:30Z', '2026-11-02T06:30Z'],
  ],
  [
    'America/New_York',
    'doubled 2027: 01:30 runs once',
    '30 1 * * *',
    '2027-11-06T00Z',
    '2027-11-09T00Z',
    ['2027-11-06T05:30Z', '2027-11-07T05:30Z', '2027-11-08T06:30Z'],
  ],
  [
    'Australia/Lord_Howe',
    'half an hour doubled 2026: 01:45 runs once',
    '45 1 * * *',
    '2026-04-03T00Z',
    '2026-04-06T00Z',
    ['2026-04-03T14:45Z', '2026-04-04T14:45Z', '2026-04-05T15:15Z'],
  ],
  [
    'Australia/Lord_Howe',
    'half an hour doubled 2027: 10:00 stays 10:00',
    '0 10 * * *',
    '2027-04-02T00Z',
    '2027-04-05T00Z',
    ['2027-04-02T23:00Z', '2027-04-03T23:30Z', '2027-04-04T23:30Z'],
  ],
  [
    'Australia/Lord_Howe',
    'a gap of half an hour 2026: 02:15 runs at 02:45',
    '15 2 * * *',
    '2026-10-02T00Z',
    '2026-10-05T00Z',
    ['2026-10-02T15:45Z', '2026-10-03T15:45Z', '2026-10-04T15:15Z'],
  ],
  [
    'Australia/Lord_Howe',
    'a gap of half an hour 2027: 02:15 runs at 02:45',
    '15 2 * * *',
    '2027-10-01T00Z',
    '2027-10-04T00Z',
    ['2027-10-01T15:45Z', '2027-10-02T15:45Z', '2027-10-03T15:15Z'],
  ],
];

const toDate = (text: string) => new Date(text.replace('Z', ':00:00Z'));

describe('over the changes of summer time', () => {
  test.each(CHANGES)('%s, %s', (zone, _, cron, from, to, expected) => {
    expect(iso(occurrencesBetween(daily(cron, zone), toDate(from), toDate(to)))).toEqual(expected);
  });

  test('a scheduler that starts within the hour that comes twice does not run it a second time', () => {
    const schedule = daily('30 2 * * *', 'Europe/Berlin');
    expect(nextOccurrence(schedule, new Date('2026-10-25T01:00:00Z'))).toEqual(
      new Date('2026-10-26T01:30:00Z'),
    );
  });

  test('a scheduler that starts after the gap still runs what the gap has moved', () => {
    const schedule = daily('30 2 * * *', 'Europe/Berlin');
    expect(nextOccurrence(schedule, new Date('2026-03-29T01:10:00Z'))).toEqual(
      new Date('2026-03-29T01:30:00Z'),
    );
  });

  test.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago', 'Africa/Cairo'])(
    'every day of two years has one occurrence of a daily schedule in %s',
    (zone) => {
      for (const cron of ['15 0 * * *', '45 1 * * *', '15 2 * * *', '0 10 * * *']) {
        const [from, until] = [new Date('2026-01-01T12:00Z'), new Date('2028-01-01T12:00Z')];
        expect([...occurrencesBetween(daily(cron, zone), from, until)]).toHaveLength(730);
      }
    },
  );
});

describe('the sequence of occurrences', () => {
  const values = (max: number) => fc.uniqueArray(fc.nat(max), { minLength: 1, maxLength: 4 });
  const field = (max: number) => fc.oneof(fc.constant('*'), values(max).map(String));
  const crons = fc.tuple(values(59).map(String), field(23), fc.constantFrom('*', '*', '1-7', '25-31'));
  const aroundChanges = fc
    .tuple(
      fc.constantFrom('2026-03-28', '2026-10-24', '2026-03-07', '2026-10-31', '2026-06-01'),
      fc.nat(4_320),
    )
    .map(([day, minutes]) => new Date(Date.parse(day) + minutes * 60_000));

  // With several minutes an hour the two differ once a year: asked from the first minute after a gap, cron-parser forgets
  // the other ones that the gap has moved.
  test('is that of BullMQ itself, followed from run to run', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'UTC');
    const starts = fc.constantFrom('2026-03-27', '2026-10-23', '2026-03-06', '2026-10-30');
    fc.assert(
      fc.property(fc.nat(59), crons, zones, starts, (minute, [, hour, day], tz, start) => {
        const pattern = `${minute} ${hour} ${day} * *`;
        let ours = new Date(start);
        let theirs: number | undefined = ours.getTime();
        for (let i = 0; i < 30; i++) {
          ours = nextOccurrence(daily(pattern, tz), ours) ?? new Date(0);
          theirs = defaultRepeatStrategy(theirs ?? 0, { pattern, tz });
          expect(ours.getTime()).toBe(theirs);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('does not depend on where one asks: next and previous undo each other', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
    fc.assert(
      fc.property(crons, zones, aroundChanges, ([minute, hour, day], zone, time) => {
        const schedule = daily(`${minute} ${hour} ${day} * *`, zone);
        const next = nextOccurrence(schedule, time) as Date;
        const previous = previousOccurrence(schedule, time) as Date;
        expect(previous <= time && time < next).toBe(true);
        expect(nextOccurrence(schedule, previous)).toEqual(next);
        expect(previousOccurrence(schedule, next)).toEqual(next);
        expect(previousOccurrence(schedule, new Date(next.getTime() - 1))).toEqual(previous);
      }),
      { numRuns: 150 },
    );
  });

  test('has leap days, last days and nth weekdays', () => {
    const first = (cron: string) => nextOccurrence(daily(cron, 'UTC'), new Date('2026-01-10'))?.toISOString();
    expect(first('0 0 29 2 *')).toBe('2028-02-29T00:00:00.000Z');
    expect(first('0 0 L * *')).toBe('2026-01-31T00:00:00.000Z');
    expect(first('0 0 * * 1#3')).toBe('2026-01-19T00:00:00.000Z');
  });

  test('ends with a fixed date', () => {
    const schedule = { at: '2026-12-01T10:00:00+01:00' };
    const at = new Date('2026-12-01T09:00:00Z');
    expect(nextOccurrence(schedule, new Date('2026-11-01'))).toEqual(at);
    expect(nextOccurrence(schedule, at)).toBeUndefined();
    expect(previousOccurrence(schedule, at)).toEqual(at);
    expect(previousOccurrence(schedule, new Date('2026-11-01'))).toBeUndefined();
    expect([...occurrencesBetween(schedule, new Date('2026-11-01'), new Date('2027-01-01'))]).toEqual([at]);
  });
});

describe('an occurrence that was missed', () => {
  const schedule = daily('0 10 * * *', 'UTC');
  const scheduledAt = new Date('2026-11-20T10:00:00Z');
  const graceMs = 300_000;

  test('runs when it is late by no more than the grace', () => {
    const now = new Date('2026-11-20T10:05:00Z');
    expect(catchUp('skip', scheduledAt, now, schedule, graceMs)).toEqual({ run: scheduledAt });
  });

  test('is left out by `skip`', () => {
    const now = new Date('2026-11-20T10:05:01Z');
    expect(catchUp('skip', scheduledAt, now, schedule, graceMs)).toEqual({ skip: scheduledAt });
  });

  test('gives way to the latest one by `latest`', () => {
    const now = new Date('2026-11-23T18:00:00Z');
    const run = new Date('2026-11-23T10:00:00Z');
    expect(catchUp('latest', scheduledAt, now, schedule, graceMs)).toEqual({ run });
  });

  test('gives way to one that is due right now, even by `skip`', () => {
    const now = new Date('2026-11-23T10:01:00Z');
    const run = new Date('2026-11-23T10:00:00Z');
    expect(catchUp('skip', scheduledAt, now, schedule, graceMs)).toEqual({ run });
  });

  test('on the day of a doubled hour is the same run, not another one', () => {
    const nightly = daily('30 2 * * *', 'Europe/Berlin');
    const first = new Date('2026-10-25T00:30:00Z');
    const later = new Date('2026-10-25T08:00:00Z');
    expect(catchUp('latest', first, later, nightly, graceMs)).toEqual({ run: first });
  });
});
