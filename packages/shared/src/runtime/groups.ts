/**
 * Does together what comes together: while something of a group is being worked on, more of it gathers, and that is done at
 * once then. Nobody waits for company: what comes alone is worked on alone, at once.
 */

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export class Groups<Item, Result> {
  readonly #handle: (items: Item[]) => Promise<Result[]>;
  readonly #most: number;
  /** What has gathered, for each group that is being worked on. */
  readonly #gathered = new Map<string, Waiting<Item, Result>[]>();

  /**
   * @param handle its results are in the order of the items; when it fails, it has failed for all of them.
   * @param most items that it gets at a time.
   */
  constructor(handle: (items: Item[]) => Promise<Result[]>, { most = Number.POSITIVE_INFINITY } = {}) {
    this.#handle = handle;
    this.#most = most;
  }

  add(group: string, item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiting = { item, resolve, reject };
      const gathered = this.#gathered.get(group);
      if (gathered) return void gathered.push(waiting);
      this.#gathered.set(group, [waiting]);
      void this.#work(group);
    });
  }

  async #work(group: string): Promise<void> {
    for (;;) {
      const batch = this.#gathered.get(group)?.splice(0, this.#most) ?? [];
      if (batch.length === 0) break;
      try {
        const results = await this.#handle(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#gathered.delete(group);
  }
}
