import { StubClock } from '@sendonce/shared/testing';
import { describe, expect, it } from 'vitest';
import { Places } from './places.js';
import { Turns } from './turns.js';

const { signal } = new AbortController();

function setup(pace: { startsAt: number; intervalMs: number; places: number }, now: number) {
  const clock = new StubClock(now);
  return { clock, places: new Places({ clock, turns: new Turns() }, pace) };
}

async function takeAll(places: Places): Promise<number[]> {
  const taken: number[] = [];
  for (let count = await places.take(signal); count > 0; count = await places.take(signal)) taken.push(count);
  return taken;
}

describe('places', () => {
  it('are used one by one where they are far apart, and not when they have passed', async () => {
    const { clock, places } = setup({ startsAt: 1_000, intervalMs: 20, places: 10 }, 1_000);
    expect(await places.take(signal)).toBe(1);
    clock.advance(92);
    // Those at 1,020 to 1,080 are gone: 5 ms late is late.
    expect(await places.take(signal)).toBe(1);
    clock.advance(908);
    expect(await places.take(signal)).toBe(0);
  });

  it('are used late, up to sixteen at a time, where they are close together', async () => {
    const { places } = setup({ startsAt: 1_000, intervalMs: 0.1, places: 40 }, 1_100);
    expect(await takeAll(places)).toEqual([16, 16, 8]);
  });

  it('are not used before their time: no more at once than have come', async () => {
    const { clock, places } = setup({ startsAt: 1_000, intervalMs: 0.5, places: 40 }, 1_003);
    expect(await places.take(signal)).toBe(6);
    expect(await places.take(signal)).toBe(1);
    clock.advance(7);
    expect(await places.take(signal)).toBe(9);
  });
});
