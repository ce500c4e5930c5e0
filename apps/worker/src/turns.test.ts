import { setImmediate as anotherTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turns } from './turns.js';

describe('turns', () => {
  it('are of the earliest places, and among equals of whoever came first', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const take = async (name: string, startsAt: number, times: number): Promise<void> => {
      for (let time = 0; time < times; time++) {
        await turns.wait(startsAt);
        order.push(name);
      }
    };
    await Promise.all([
      take('late', 300, 2),
      take('early', 100, 3),
      take('middle', 200, 1),
      take('equal', 100, 1),
    ]);
    expect(order).toEqual(['early', 'equal', 'early', 'early', 'middle', 'late', 'late']);
  });

  it('let in what others wait for', async () => {
    const turns = new Turns();
    let isOver = false;
    const others = anotherTurn().then(() => {
      isOver = true;
    });
    for (let turn = 0; turn < 3; turn++) await turns.wait(0);
    expect(isOver).toBe(true);
    await others;
  });
});
