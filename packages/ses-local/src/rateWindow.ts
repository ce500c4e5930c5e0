/** How many recipients there were in the last second, exactly: in no second, wherever it begins, may there be more than a limit. */
const WINDOW_MS = 1_000;

export class RateWindow {
  readonly #clock: () => number;
  /** Admissions of the last second, oldest first; what lies before `#head` is over. */
  #admitted: { at: number; recipients: number }[] = [];
  #head = 0;
  #sum = 0;

  /** @param clock ms, monotonic: a wall clock that is set back would keep the window closed. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Admits, or changes nothing and returns false. */
  tryAdmit(recipients: number, maxPerSecond: number): boolean {
    const now = this.#clock();
    this.#forget(now - WINDOW_MS);
    if (this.#sum + recipients > maxPerSecond) return false;
    this.#admitted.push({ at: now, recipients });
    this.#sum += recipients;
    return true;
  }

  #forget(until: number): void {
    for (let first = this.#admitted[this.#head]; first && first.at <= until; ) {
      this.#sum -= first.recipients;
      this.#head += 1;
      first = this.#admitted[this.#head];
    }
    // Cut off rarely, so that a full window is not copied for every mail.
    if (this.#head > 1_024 && this.#head * 2 > this.#admitted.length) {
      this.#admitted = this.#admitted.slice(this.#head);
      this.#head = 0;
    }
  }
}
