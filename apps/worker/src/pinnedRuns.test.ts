import { Runs } from '@sendonce/shared/run';
import { systemClock as clock } from '@sendonce/shared/runtime';
import { makeSnapshot, openTestRedis, type TestRedis } from '@sendonce/shared/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PinnedRun, PinnedRuns } from './pinnedRuns.js';

let test: TestRedis;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

it('reads the attachments of a run once, and holds those of a few runs', async () => {
  const runs = new Runs({ ...test, clock });
  const settings = 'attachments: [{ file: large.bin }]\n';
  const snapshot = await makeSnapshot(1, { settings, files: { 'large.bin': Buffer.alloc(9_000_000, 1) } });
  const ids: string[] = [];
  for (let day = 1; day <= 4; day++)
    ids.push((await runs.create(snapshot, new Date(Date.UTC(2026, 10, day)), 'manual')).run);
  const [oldest = '', , , newest = ''] = ids;
  const pinned = new PinnedRuns(runs);
  // Compared by identity here: the matchers would compare 9 MB byte by byte.
  const isKept = async (run: string, before: PinnedRun) => (await pinned.get(run)) === before;
  const first = await pinned.get(oldest);
  expect(await isKept(oldest, first)).toBe(true);
  for (const run of ids) await pinned.get(run);
  const held = await pinned.get(newest);
  expect(held.attachments?.[0]?.RawContent?.length).toBe(9_000_000);
  expect(await isKept(newest, held)).toBe(true);
  // 36 MB were too many.
  expect(await isKept(oldest, first)).toBe(false);
});
