/** Lets work wait, in its order, until so many bytes are not under way any more. What is larger than the limit goes alone. */
export class ByteLimit {
  readonly #limit: number;
  readonly #waiting: { bytes: number; start: () => void }[] = [];
  #underWay = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async within<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    const taken = Math.min(bytes, this.#limit);
    await new Promise<void>((start) => {
      this.#waiting.push({ bytes: taken, start });
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#underWay -= taken;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (!next || this.#underWay + next.bytes > this.#limit) return;
      this.#waiting.shift();
      this.#underWay += next.bytes;
      next.start();
    }
  }
}
