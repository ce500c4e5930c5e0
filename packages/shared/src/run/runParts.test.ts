import { expect, test } from 'vitest';
import { troublesOf } from '../conditions/index.js';
import { dueRecipients, partName, partsAhead } from './index.js';
import { toRunRecord } from './runRecord.js';

const BEGINS = Date.parse('2026-12-01T19:00:00Z');
const HOUR_MS = 3_600_000;
const hours = (count: number) => BEGINS + count * HOUR_MS;

/** A run that is due at once for 100, 13 hours later for 50, and 19 for 10. */
function setup(numbers: Record<string, string>) {
  const record = toRunRecord({
    id: 'news--20261201T190000Z',
    scheduled_at: String(BEGINS),
    frozen_at: '1',
    parts: `${hours(19)}:10 ${hours(0)}:100 ${hours(13)}:50`,
    ...numbers,
  });
  if (!record) throw new Error('no record');
  return record;
}

test('parts wait in the order of their times, and are named by what clocks show where they are due', () => {
  const record = setup({ queued: '60' });
  expect(record.status).toBe('sending');
  const names = partsAhead(record, hours(1)).map((part) => partName(record, part));
  expect(names).toEqual(['09:00 at UTC+1', '09:00 at UTC−5']);
  expect(partsAhead(record, hours(19))).toEqual([]);
});

test('only those whose time has come are due', () => {
  expect(dueRecipients(setup({ queued: '160' }), hours(0))).toBe(100);
  expect(dueRecipients(setup({ queued: '60', sent: '100' }), hours(1))).toBe(0);
  expect(dueRecipients(setup({ queued: '60', sent: '100' }), hours(13))).toBe(50);
  expect(dueRecipients(setup({ cancelled: '160' }), hours(1))).toBe(0);
});

test('nobody is told of a run whose parts wait, but of one that is due and has no worker', () => {
  const record = setup({ queued: '60', sent: '100' });
  const standing = {
    account: undefined,
    durability: { guarantee: 'always', evicts: false, detail: '' },
    hold: undefined,
    next: [],
    open: [record],
    reputation: { verdict: 'good' },
    waitingJobs: 0,
    workers: 0,
  } as unknown as Parameters<typeof troublesOf>[0];
  expect(troublesOf({ ...standing, now: hours(1) })).toEqual([]);
  expect(troublesOf({ ...standing, now: hours(13) })).toMatchObject([
    { key: 'no-worker', text: 'No worker is running, and 50 recipients are due.' },
  ]);
});
