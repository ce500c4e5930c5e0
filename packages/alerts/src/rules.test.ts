import { describe, expect, it } from 'vitest';
import { type Batch, confirm, emptyState, fail, note, setConditions, take } from './rules.js';

const MINUTE = 60_000;
const limits = { mailsPerHour: 10, intervalsMs: [5 * MINUTE, 30 * MINUTE] };
const error = (fingerprint: string) => ({ fingerprint, title: fingerprint, detail: '', source: 'here' });
const times = (count: number, at: number) => ({ count, firstAt: at, lastAt: at });
const counts = (batch: Batch | undefined) => batch?.told.map(({ title, count }) => [title, count]);

describe('a kind of error', () => {
  it('is told at once, then with its count at growing intervals', () => {
    const state = emptyState();
    const mails: unknown[] = [];
    for (let at = 0; at < 120 * MINUTE; at += MINUTE / 2) {
      note(state, error('a'), times(3, at));
      const batch = take(state, at, limits);
      if (!batch) continue;
      mails.push([at / MINUTE, batch.told[0]?.count, batch.told[0]?.total]);
      confirm(state, batch, at, limits);
    }
    expect(mails).toEqual([
      [0, 3, 3],
      [5, 30, 33],
      [35, 180, 213],
      [65, 180, 393],
      [95, 180, 573],
    ]);
  });

  it('whose mail failed is told a minute later, with all that came', () => {
    const state = emptyState();
    note(state, error('a'), times(1, 0));
    const batch = take(state, 0, limits) as Batch;
    note(state, error('a'), times(4, 1));
    expect(take(state, 1, limits)).toBeUndefined();
    fail(state, batch, 1);
    expect(take(state, 2, limits)).toBeUndefined();
    expect(counts(take(state, MINUTE + 1, limits))).toEqual([['a', 5]]);
  });

  it('whose teller died is told by another', () => {
    const state = emptyState();
    note(state, error('a'), times(1, 0));
    take(state, 0, limits);
    expect(take(state, MINUTE, limits)).toBeUndefined();
    expect(counts(take(state, MINUTE + 1, limits))).toEqual([['a', 1]]);
  });

  it('is new again a day after it was seen last', () => {
    const state = emptyState();
    note(state, error('a'), times(1, 0));
    confirm(state, take(state, 0, limits) as Batch, 0, limits);
    note(state, error('a'), times(1, 25 * 60 * MINUTE));
    expect(take(state, 25 * 60 * MINUTE, limits)?.told[0]).toMatchObject({ count: 1, total: 1 });
  });
});

describe('many kinds of errors', () => {
  it('at the same time are one mail', () => {
    const state = emptyState();
    for (const name of ['a', 'b', 'c']) note(state, error(name), times(1, 0));
    expect(counts(take(state, 0, limits))).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
  });

  it('one after the other are at most so many mails an hour, in any hour, and each is told within it', () => {
    const state = emptyState();
    const mails: number[] = [];
    const told = new Set<string>();
    for (let second = 0; second < 3 * 3_600; second++) {
      const at = second * 1_000;
      if (second < 90 * 60 && second % 60 === 0) note(state, error(`kind-${second}`), times(1, at));
      const batch = take(state, at, limits);
      if (!batch) continue;
      mails.push(at);
      for (const { fingerprint, count } of batch.told) {
        expect(count).toBe(1);
        expect(told.has(fingerprint)).toBe(false);
        told.add(fingerprint);
      }
      confirm(state, batch, at, limits);
    }
    for (const at of mails)
      expect(mails.filter((other) => other >= at && other < at + 60 * MINUTE).length).toBeLessThanOrEqual(10);
    expect(told.size).toBe(90);
  });

  it('beyond what is told apart are counted', () => {
    const state = emptyState();
    for (let n = 0; n < 1_000; n++) note(state, error(`kind-${n}`), times(2, 0));
    const told = take(state, 0, limits)?.told ?? [];
    expect(told).toHaveLength(101);
    expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(2_000);
  });
});

describe('a condition', () => {
  const paused = { key: 'paused', title: 'it is paused' };
  const look = (state: ReturnType<typeof emptyState>, now: number, conditions = [paused]) => {
    setConditions(state, conditions, { now, source: 'here' });
    const batch = take(state, now, limits);
    if (batch) confirm(state, batch, now, limits);
    return batch?.told.map(({ title, resolvedAt, firstAt }) => [title, resolvedAt && resolvedAt - firstAt]);
  };

  it('is told when it begins and when it is over, and not in between', () => {
    const state = emptyState();
    expect(look(state, 0)).toBeUndefined();
    expect(look(state, 20_000)).toEqual([['it is paused', undefined]]);
    for (let minute = 1; minute < 12; minute++) expect(look(state, minute * MINUTE)).toBeUndefined();
    expect(look(state, 12 * MINUTE, [])).toEqual([['it is paused', 12 * MINUTE]]);
    expect(look(state, 13 * MINUTE, [])).toBeUndefined();
  });

  it('that comes and goes all the time is told ever more seldom', () => {
    const state = emptyState();
    let mails = 0;
    for (let half = 0; half < 120; half++)
      if (look(state, half * 30_000, half % 2 ? [] : [paused])) mails += 1;
    expect(mails).toBeLessThan(8);
  });

  it('that is over before anybody heard of it is not told', () => {
    const state = emptyState();
    expect(look(state, 0)).toBeUndefined();
    expect(look(state, 19_000, [])).toBeUndefined();
    expect(look(state, 60_000, [])).toBeUndefined();
  });

  it('is told beside any number of kinds of errors, and takes nothing from their counts', () => {
    const state = emptyState();
    for (let n = 0; n < 1_000; n++) note(state, error(`kind-${n}`), times(2, 0));
    for (const now of [0, 10_000, 20_000]) setConditions(state, [paused], { now, source: 'here' });
    const told = take(state, 20_000, limits)?.told ?? [];
    expect(told.filter(({ title }) => title === 'it is paused')).toHaveLength(1);
    const errors = told.filter(({ isCondition }) => !isCondition);
    expect(errors.reduce((sum, { count }) => sum + count, 0)).toBe(2_000);
  });

  it('is one of a hundred at the most; those that were told stay, and the rest is a number', () => {
    const state = emptyState();
    const many = Array.from({ length: 1_000 }, (_, n) => ({ key: `run-${n}`, title: `run-${n} is paused` }));
    look(state, 0, many.slice(900));
    expect(look(state, 20_000, many.slice(900))).toHaveLength(100);
    const further = look(state, 40_000, many) ?? [];
    expect(further.filter(([, resolvedAfter]) => !resolvedAfter)).toEqual([]);
    expect(look(state, 60_000, many)).toEqual([['901 further troubles beside 99', undefined]]);
    for (let round = 0; round < 20; round++) {
      const now = 120_000 + round * 60_000;
      look(state, now, many.slice(round * 50, round * 50 + 50));
      look(state, now + 30_000, many.slice(round * 50, round * 50 + 50));
    }
    look(state, 10_000_000, []);
    look(state, 11_000_000, []);
    expect(Object.keys(state.kinds).length).toBeLessThanOrEqual(101);
  });
});
