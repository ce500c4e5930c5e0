/** The time, injected so that tests can move it. Only the real clock reads `Date.now()`. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
