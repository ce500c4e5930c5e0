/**
 * Gives up on a server that says nothing for too long. It runs only while somebody waits for the server: a reader that takes
 * its time is no silence.
 */
export class SilenceWatch {
  #timer: NodeJS.Timeout | undefined;
  #isSilent = false;

  /** @param giveUp has to make whatever waits for the server fail. */
  constructor(
    private readonly silenceMs: number,
    private readonly giveUp: () => void,
  ) {}

  /** Whether it has given up. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Somebody begins to wait, or has heard something and waits on. */
  listen(): void {
    if (this.#timer) this.#timer.refresh();
    else
      this.#timer = setTimeout(() => {
        this.#isSilent = true;
        this.giveUp();
      }, this.silenceMs);
  }

  /** Nobody waits any more. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async during<T>(answer: Promise<T>): Promise<T> {
    this.listen();
    try {
      return await answer;
    } finally {
      this.rest();
    }
  }
}
