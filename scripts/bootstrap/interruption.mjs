/**
 * The signals that ask us to end. While we prepare, the first aborts that, and a second one ends us at once. Once a command
 * runs they are handed on to it, a second one after the first, because a command that is asked twice ends at once.
 */
import { constants } from 'node:os';

/** SIGHUP, the terminal is gone, reaches the command as SIGTERM, which all of ours know how to obey. */
const HANDED_ON_AS = { SIGINT: 'SIGINT', SIGTERM: 'SIGTERM', SIGHUP: 'SIGTERM' };

/**
 * Signals within this time are one wish: Ctrl-C reaches us from the terminal and once more from npm, and `timeout` signals
 * its child and then the whole group.
 */
export const SAME_WISH_MS = 500;

export class Interruption {
  #own;
  #abort = new AbortController();
  #child;
  #first;
  #lastAt = Number.NEGATIVE_INFINITY;

  /** @param own our process; another one in tests. */
  constructor(own = process, now = () => performance.now()) {
    this.#own = own;
    for (const signal of Object.keys(HANDED_ON_AS)) {
      own.on(signal, () => this.#receive(signal, now()));
    }
  }

  /** Aborted by the first signal. */
  get signal() {
    return this.#abort.signal;
  }

  /** As shells say it: 128 + the signal's number. */
  get exitCode() {
    return 128 + (constants.signals[this.#first] ?? 0);
  }

  handOnTo(child) {
    this.#child = child;
  }

  #receive(signal, at) {
    if (at - this.#lastAt < SAME_WISH_MS) return;
    this.#lastAt = at;
    if (this.#child) this.#child.kill(HANDED_ON_AS[signal]);
    else if (this.#first) this.#own.exit(this.exitCode);
    this.#first ??= signal;
    this.#abort.abort();
  }
}
