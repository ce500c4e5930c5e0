import type { ChunkRef, Settlement, Tally } from '@sendonce/shared/ledger';
import { Runs } from '@sendonce/shared/run';
import { makeSnapshot, openTestRedis, StubClock, type TestRedis } from '@sendonce/shared/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChunkReports } from './chunkReports.js';
import { RefusalRow } from './refusals.js';

let test: TestRedis;
let count = 0;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

const REASON = 'MessageRejected: no';
const NUMBERS = { rejected: 0, in_doubt: 0, suppressed: 0, cancelled: 0 };
const tallyOf = (version: number, queued: number, claimed: number, sent: number): Tally => ({
  ...NUMBERS,
  version,
  queued,
  claimed,
  sent,
});

/** A chunk of a run whose clock stands still, so that nothing is due of itself. */
async function setup() {
  const clock = new StubClock();
  const runs = new Runs({ redis: test.redis, prefix: `${test.prefix}-${count++}`, clock });
  const { run } = await runs.create(await makeSnapshot(2), new Date('2026-11-24T10:00:00Z'), 'manual');
  const ref: ChunkRef = { run, chunk: 0 };
  const reports = new ChunkReports({ clock, runs }, ref, async () => undefined);
  const answered = (event: Settlement['event']) =>
    new RefusalRow(ref, [{ position: 0, event, at: 0, detail: event === 'reject' ? REASON : '' }]);
  const settle = (event: Settlement['event']) =>
    reports.settling(answered(event), false)(tallyOf(2, 100, 100, 0));
  const refuse = (times: number) =>
    runs.refusals(
      run,
      REASON,
      Array.from({ length: times }, (_, position) => ({ chunk: 0, position })),
      { isFresh: false, threshold: 20 },
    );
  return { clock, refuse, reports, run, runs, settle };
}

it('an accepted mail ends a row of refusals, also when a micro-batch without an answer came between', async () => {
  const { refuse, settle } = await setup();
  expect(await refuse(10)).toEqual([]);
  for (const event of ['reject', 'release', 'accept'] as const) expect(await settle(event)).toBe('open');
  expect(await refuse(10)).toEqual([]);
});

it('a pause is noticed at the next micro-batch after 20 ms, and at once where the answers ask for it', async () => {
  const { clock, reports, run, runs, settle } = await setup();
  await runs.pause(run, { cause: 'operator', reason: 'lunch' });
  expect(await settle('accept')).toBe('open');
  expect(await settle('reject')).toBe('paused');
  clock.advance(20);
  expect(await settle('accept')).toBe('paused');
  await reports.flush();
});

it('the end of a chunk is told, and answers what may be done next', async () => {
  const { reports, run, runs, settle } = await setup();
  reports.claimed(tallyOf(2, 0, 500, 0));
  const row = new RefusalRow({ run, chunk: 0 }, []);
  await runs.pause(run, { cause: 'operator', reason: 'lunch' });
  expect(await reports.settling(row, false)(tallyOf(3, 0, 0, 500))).toBe('paused');
  expect((await runs.get(run)).numbers).toMatchObject({ claimed: 0, sent: 500 });
  await settle('accept');
  await reports.flush();
});
