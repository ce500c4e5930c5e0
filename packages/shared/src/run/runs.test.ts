import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tally } from '../ledger/index.js';
import { makeSnapshot, openTestRedis, StubClock, type TestRedis } from '../testing/index.js';
import { parseRunId, runIdOf } from './runId.js';
import { Runs } from './runs.js';

let test: TestRedis;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

let minute = 0;

async function setup() {
  const clock = new StubClock();
  const runs = new Runs({ ...test, clock });
  const snapshot = await makeSnapshot(3);
  const scheduledAt = new Date(Date.UTC(2026, 10, 24, 10, minute++));
  return { clock, runs, snapshot, scheduledAt };
}

async function setupFrozen(chunks: number) {
  const bundle = await setup();
  const { run } = await bundle.runs.create(bundle.snapshot, bundle.scheduledAt, 'manual');
  for (let chunk = 0; chunk < chunks; chunk++)
    await bundle.runs.tally(run, chunk, tallyOf(1, { queued: 10 }));
  await bundle.runs.frozen(run, {
    chunks,
    audience: chunks * 10,
    duplicates: 0,
    invalid: 0,
    invalidRows: [],
  });
  return { ...bundle, run };
}

function tallyOf(version: number, counts: Partial<Tally>): Tally {
  return {
    version,
    queued: 0,
    claimed: 0,
    sent: 0,
    rejected: 0,
    in_doubt: 0,
    suppressed: 0,
    cancelled: 0,
    ...counts,
  };
}

describe("a run's id", () => {
  it('comes from the campaign and the scheduled time, and leads back to them', () => {
    const scheduledAt = new Date('2026-11-24T10:00:00Z');
    const id = runIdOf('daily-notification', scheduledAt);
    expect(id).toBe('daily-notification--20261124T100000Z');
    expect(parseRunId(id)).toEqual({ campaign: 'daily-notification', scheduledAt });
  });

  it('is nothing else than that', () => {
    for (const text of [
      '',
      'daily',
      'a--2026',
      'a--20261324T100000Z',
      'ä--20261124T100000Z',
      'a b--20261124T100000Z',
    ]) {
      expect(parseRunId(text), text).toBeUndefined();
    }
  });
});

describe('the list of runs', () => {
  it('comes in pages, of all campaigns or of one, and passes over what is forgotten', async () => {
    const clock = new StubClock();
    const prefix = `${test.prefix}-list`;
    const runs = new Runs({ ...test, prefix, clock });
    const [news, other] = await Promise.all([makeSnapshot(1), makeSnapshot(1, { id: 'other' })]);
    const ids: string[] = [];
    for (let minute = 0; minute < 12; minute++) {
      const at = new Date(Date.UTC(2026, 10, 24, 9, minute));
      ids.unshift((await runs.create(minute % 3 === 0 ? other : news, at, 'manual')).run);
    }
    await test.redis.del(`${prefix}:1:{${ids[4]}}:record`);
    const kept = ids.filter((_, index) => index !== 4);
    const idsOf = async (...args: Parameters<Runs['list']>) => (await runs.list(...args)).map(({ id }) => id);
    expect(await idsOf(100)).toEqual(kept);
    expect(await idsOf(5)).toEqual(kept.slice(0, 5));
    expect(await idsOf(5, { before: kept[4] as string })).toEqual(kept.slice(5, 10));
    const ofNews = kept.filter((id) => id.startsWith('news--'));
    expect(await idsOf(2, { campaign: 'news' })).toEqual(ofNews.slice(0, 2));
    expect(await idsOf(100, { campaign: 'news', before: ofNews[1] as string })).toEqual(ofNews.slice(2));
    expect(await idsOf(3, { campaign: 'none' })).toEqual([]);
    await expect(runs.list(3, { before: 'news--20200101T000000Z' })).rejects.toThrow('There is no run');
  });
});

describe('a run', () => {
  it('is created once, however many try at the same time', async () => {
    const { runs, snapshot, scheduledAt } = await setup();
    const tries = await Promise.all(
      Array.from({ length: 10 }, () => runs.create(snapshot, scheduledAt, 'schedule')),
    );
    expect(tries.filter(({ created }) => created)).toHaveLength(1);
  });

  it('keeps the campaign as it was when it was created', async () => {
    const { runs, snapshot, scheduledAt } = await setup();
    const { run } = await runs.create(snapshot, scheduledAt, 'manual');
    const edited = { ...snapshot, hash: 'edited', body: { text: 'edited' } };
    expect((await runs.create(edited, scheduledAt, 'manual')).created).toBe(false);
    expect(await runs.snapshot(run)).toEqual(snapshot);
    expect((await runs.get(run)).hash).toBe(snapshot.hash);
  });

  it('keeps the files of its campaign as they were, for as long as its recipients', async () => {
    const { runs, scheduledAt } = await setup();
    const snapshot = await makeSnapshot(3, {
      settings: 'attachments: [{ file: terms.txt }, { file: terms.txt, name: again.txt }]\n',
      files: { 'terms.txt': 'As they are' },
    });
    const { run } = await runs.create(snapshot, scheduledAt, 'manual');
    rmSync(join(snapshot.baseDir, 'terms.txt'));
    expect((await runs.create(snapshot, scheduledAt, 'manual')).created).toBe(false);
    const contents = [...(await runs.attachments(run)).values()].map(String);
    expect(contents).toEqual(['As they are']);
    await runs.close(run, 60_000, 0);
    await expect(runs.attachments(run)).rejects.toThrow('There is no run');
    expect(await runs.snapshot(run)).toEqual(snapshot);
  });

  it('is not created from files that have changed since they were checked', async () => {
    const { runs, scheduledAt } = await setup();
    const settings = 'attachments: [{ file: terms.txt }]\n';
    const snapshot = await makeSnapshot(3, { settings, files: { 'terms.txt': 'As they are' } });
    writeFileSync(join(snapshot.baseDir, 'terms.txt'), 'As they were');
    await expect(runs.create(snapshot, scheduledAt, 'manual')).rejects.toThrow('terms.txt has changed since');
    expect(await runs.find(runIdOf(snapshot.id, scheduledAt))).toBeUndefined();
  });

  it('is finished only when every recipient is in a final state', async () => {
    const { runs, run } = await setupFrozen(2);
    await runs.tally(run, 0, tallyOf(2, { sent: 10 }));
    expect((await runs.get(run)).status).toBe('sending');
    await runs.tally(run, 1, tallyOf(2, { sent: 9, in_doubt: 1 }));
    const settling = await runs.get(run);
    expect(settling.status).toBe('settling');
    expect(settling.finishedAt).toBeUndefined();
    await runs.tally(run, 1, tallyOf(3, { sent: 10 }));
    const finished = await runs.get(run);
    expect(finished.status).toBe('finished');
    expect(finished.finishedAt).toBeDefined();
    expect(finished.numbers).toMatchObject({ audience: 20, sent: 20, queued: 0 });
  });

  it('counts right when numbers of a chunk come twice, late and in any order', async () => {
    const { runs, run } = await setupFrozen(1);
    await runs.tally(run, 0, tallyOf(5, { queued: 4, sent: 6 }));
    await runs.tally(run, 0, tallyOf(5, { queued: 4, sent: 6 }));
    await runs.tally(run, 0, tallyOf(3, { queued: 8, sent: 2 }));
    expect((await runs.get(run)).numbers).toMatchObject({ queued: 4, sent: 6 });
  });

  it('is paused, resumed and cancelled, each once', async () => {
    const { runs, run } = await setupFrozen(1);
    expect(await runs.pause(run, { cause: 'operator', reason: 'lunch' })).toBe('paused');
    expect(await runs.pause(run, { cause: 'operator', reason: 'again' })).toBe('no');
    expect(await runs.get(run)).toMatchObject({
      status: 'paused',
      pauseReason: 'lunch',
      pauseCause: 'operator',
    });
    expect(await runs.tally(run, 0, tallyOf(1, { queued: 10 }))).toBe('paused');
    expect(await runs.resume(run, 'operator')).toBe(true);
    expect(await runs.resume(run, 'operator')).toBe(false);
    expect(await runs.cancel(run, 'wrong text')).toBe(true);
    expect(await runs.tally(run, 0, tallyOf(1, { queued: 10 }))).toBe('cancelled');
    expect(await runs.resume(run, 'operator')).toBe(false);
  });

  it('that pauses for the same reason after it was tried again by itself is not told of twice', async () => {
    const { runs, run } = await setupFrozen(1);
    const pause = { cause: 'account', reason: 'sending is paused', retryAt: new Date(5_000) } as const;
    expect(await runs.pause(run, pause)).toBe('paused');
    expect((await runs.get(run)).retryAt).toEqual(new Date(5_000));
    await runs.resume(run, 'itself');
    expect(await runs.pause(run, pause)).toBe('again');
    await runs.resume(run, 'operator');
    expect(await runs.pause(run, pause)).toBe('paused');
  });

  it('says which run is not there', async () => {
    const { runs } = await setup();
    await expect(runs.get('news--20200101T000000Z')).rejects.toThrow(
      'There is no run "news--20200101T000000Z"',
    );
  });

  it('has no part for a chunk of a freezer that was overtaken', async () => {
    const { runs, run } = await setupFrozen(1);
    expect(await runs.tally(run, 1, tallyOf(1, { queued: 500 }))).toBe('foreign');
    expect((await runs.get(run)).numbers.queued).toBe(10);
  });
});

describe('refusals in a row', () => {
  const members = (count: number, first = 0) =>
    Array.from({ length: count }, (_, index) => ({ chunk: 0, position: first + index }));
  const options = { isFresh: false, threshold: 20 };

  it('name everybody of the row when there are enough of them', async () => {
    const { runs, run } = await setupFrozen(1);
    expect(await runs.refusals(run, 'no', members(12), options)).toEqual([]);
    expect(await runs.refusals(run, 'no', members(8, 12), options)).toHaveLength(20);
  });

  it('begin anew with another reason, after another answer, and after an accept', async () => {
    const { runs, run } = await setupFrozen(1);
    await runs.refusals(run, 'no', members(19), options);
    expect(await runs.refusals(run, 'other', members(5), options)).toEqual([]);
    await runs.refusals(run, 'other', members(14, 5), options);
    expect(await runs.refusals(run, 'other', members(5, 19), { ...options, isFresh: true })).toEqual([]);
    await runs.tally(run, 0, tallyOf(2, { sent: 10 }), true);
    expect(await runs.refusals(run, 'other', members(19), options)).toEqual([]);
  });
});
