/** A queue that drops its oldest when it is full. An array's `shift` copies the whole of a long array; this does not. */
export class Fifo<T> {
  readonly #limit: number;
  #items: (T | undefined)[] = [];
  #head = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** True: something older had to go. */
  push(item: T): boolean {
    this.#items.push(item);
    const isOver = this.length > this.#limit;
    if (isOver) this.shift();
    return isOver;
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > 1_024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Puts back what was taken and could not be used; it may exceed the limit by these. */
  unshift(item: T): void {
    if (this.#head > 0) this.#items[--this.#head] = item;
    else this.#items.unshift(item);
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
