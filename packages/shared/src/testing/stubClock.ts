import type { Clock } from '../runtime/index.js';

/** Stands still until it is moved. */
export class StubClock implements Clock {
  constructor(private time: number = Date.UTC(2026, 10, 24, 10)) {}

  now(): number {
    return this.time;
  }

  advance(ms: number): void {
    this.time += ms;
  }
}
