/**
 * Ends a request that takes too long, or that nobody waits for any more. Not `AbortSignal.any` with `AbortSignal.timeout`:
 * Node 20 may collect such a pair as garbage before its time has come.
 */
export class TimeLimit {
  readonly #controller = new AbortController();
  readonly #timeoutMs: number;
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** @param caller of the request; it ends with this signal, too. */
  constructor(timeoutMs: number, caller?: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#caller = caller;
    caller?.addEventListener('abort', this.#abort, { once: true });
    this.restart();
    if (caller?.aborted) this.#abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was the time that ended the request. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** From now on it has its time again. */
  restart(): void {
    this.pause();
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      this.#abort();
    }, this.#timeoutMs);
  }

  /** It is not the other side that is waited for, up to `restart`. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  stop(): void {
    this.pause();
    this.#caller?.removeEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => this.#controller.abort();
}
