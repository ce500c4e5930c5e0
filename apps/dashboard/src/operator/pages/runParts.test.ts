import type { RunRecord } from '@sendonce/shared/run';
import { expect, test } from 'vitest';
import { toHtml } from '../html.js';
import { timeToGo, waitingParts } from './runParts.js';

const BEGINS = Date.parse('2026-12-01T19:00:00Z');
const HOUR_MS = 3_600_000;

/** Of a campaign that everybody gets at nine: in Berlin 13 hours after its beginning, in New York 19. */
const run = {
  scheduledAt: new Date(BEGINS),
  status: 'sending',
  numbers: { queued: 1_210, claimed: 0 },
  unknownZones: 7,
  parts: [
    { dueAt: new Date(BEGINS), recipients: 100 },
    { dueAt: new Date(BEGINS + 13 * HOUR_MS), recipients: 1_200 },
    { dueAt: new Date(BEGINS + 19 * HOUR_MS), recipients: 10 },
  ],
} as unknown as RunRecord;

test('a run says which parts wait, and whose clock the next one goes by', () => {
  const shown = toHtml(waitingParts(run, BEGINS + 10 * HOUR_MS)).replace(/<[^>]+>/g, '');
  expect(shown).toContain('2 of 3 parts by time zone wait; next 09:00 at UTC+1 in 3 h, 1,200 recipients.');
  expect(shown).toContain('7 recipients have a time zone that does not exist');
  expect(toHtml(waitingParts({ ...run, parts: [], unknownZones: 0 }, BEGINS))).toBe('');
});

test('it is not done before its last part is due, however fast it is', () => {
  expect(timeToGo(run, 1_000, BEGINS + 10 * HOUR_MS)).toBe('9 h');
  expect(timeToGo(run, undefined, BEGINS + 10 * HOUR_MS)).toBe('9 h');
  expect(timeToGo(run, 1, BEGINS + 19 * HOUR_MS)).toBe('20 min 10 s');
});
