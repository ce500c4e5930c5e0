/**
 * Which chunk goes on where several of this process could send at once: the one whose places in the account's stream are the
 * earliest. So one sends while another one claims, settles, or ends; side by side they would all wait for Redis at the same
 * time. Between two turns SES's answers are let in: else all requests of a micro-batch are in memory at once, and each
 * collection of garbage copies them.
 */
export class Turns {
  /** The earliest first. */
  readonly #waiting: { startsAt: number; begin(): void }[] = [];

  /** @param startsAt of whose places, ms since the epoch. @returns when it may go on, after what has come in meanwhile. */
  wait(startsAt: number): Promise<void> {
    return new Promise((begin) => {
      const after = this.#waiting.findLastIndex((other) => other.startsAt <= startsAt);
      this.#waiting.splice(after + 1, 0, { startsAt, begin });
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    this.#waiting.shift()?.begin();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }
}
