import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Groups } from './groups.js';

/** Handles a group in 5 ms, and remembers what was handled together. */
function setup(options?: { most: number }) {
  const together: number[][] = [];
  const groups = new Groups(async (items: number[]) => {
    together.push(items);
    await sleep(5);
    if (items.includes(-1)) throw new Error('no');
    return items.map((item) => item * 2);
  }, options);
  return { groups, together };
}

describe('groups', () => {
  it('take what comes alone at once, and what comes meanwhile together', async () => {
    const { groups, together } = setup();
    const results = await Promise.all([1, 2, 3, 4].map((item) => groups.add('a', item)));
    expect(results).toEqual([2, 4, 6, 8]);
    expect(together).toEqual([[1], [2, 3, 4]]);
    expect(await groups.add('a', 5)).toBe(10);
    expect(together.at(-1)).toEqual([5]);
  });

  it('do not wait for each other', async () => {
    const { groups, together } = setup();
    await Promise.all([groups.add('a', 1), groups.add('b', 2)]);
    expect(together).toEqual([[1], [2]]);
  });

  it('fail for all that were together, and go on with the next', async () => {
    const { groups } = setup();
    const results = await Promise.allSettled([1, -1, 2].map((item) => groups.add('a', item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await groups.add('a', 3)).toBe(6);
  });

  it('are not larger than they may be', async () => {
    const { groups, together } = setup({ most: 500 });
    await Promise.all(Array.from({ length: 1_002 }, (_, item) => groups.add('a', item)));
    expect(together.map((items) => items.length)).toEqual([1, 500, 500, 1]);
  });
});
