/**
 * The places of a micro-batch in the account's stream of recipients. A place that has passed while this process stood still
 * (a collection of garbage, a busy core) is gone: using it late would fall together with somebody else's, and SES throttles
 * what comes closer than its rate. Whoever gets none for that reason is in the next micro-batch.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@sendonce/shared/runtime';
import type { Reservation } from '@sendonce/shared/ses';
import type { Turns } from './turns.js';

/** A place may be used so late, ms. */
const LATE_MS = 5;
/** Places that are closer together than this, ms, are used late as well: there the worker is slower than the rate. */
const CLOSE_MS = 1;
/** Places that are used before others have a turn. */
const PLACES_A_TURN = 16;

export class Places {
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #pace: Reservation;
  #next = 0;
  #usedInTurn = 0;

  constructor({ clock, turns }: { clock: Clock; turns: Turns }, pace: Reservation) {
    this.#clock = clock;
    this.#turns = turns;
    this.#pace = pace;
  }

  /** Waits for the next place. @returns how many may be used now; 0: none is left. */
  async take(signal: AbortSignal): Promise<number> {
    const { intervalMs, places, startsAt } = this.#pace;
    if (this.#usedInTurn === PLACES_A_TURN) {
      await this.#turns.wait(startsAt);
      this.#usedInTurn = 0;
    }
    const isClose = intervalMs < CLOSE_MS;
    const lateMs = this.#clock.now() - LATE_MS - startsAt;
    if (!isClose) this.#next = Math.max(this.#next, Math.ceil(lateMs / intervalMs));
    if (this.#next >= places) return 0;
    const place = startsAt + this.#next * intervalMs;
    await pauseUntil(place, this.#clock, signal);
    const passed = isClose ? Math.floor((this.#clock.now() - place) / intervalMs) : 0;
    const taken = Math.min(Math.max(1, passed), places - this.#next, PLACES_A_TURN - this.#usedInTurn);
    this.#next += taken;
    this.#usedInTurn += taken;
    return taken;
  }
}

export async function pauseUntil(time: number, clock: Clock, signal: AbortSignal): Promise<void> {
  const waitMs = time - clock.now();
  if (waitMs >= 1) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
}
