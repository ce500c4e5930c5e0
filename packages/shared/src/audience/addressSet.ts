/**
 * A set of normalised addresses in little memory, to find duplicates while freezing: an open-addressing table of 96 bits of
 * each address's SHA-256, 12 bytes a slot, 16 to 32 an address. As strings in a `Set` an address takes about 100.
 *
 * Two addresses with the same 96 bits would cost one of them its mail: among 10 million that has a probability of
 * (10⁷)² / 2 / 2⁹⁶ ≈ 6·10⁻¹⁶ (birthday bound), less than that of the machine's memory failing unnoticed.
 */
import { hash } from 'node:crypto';

const WORDS = 3;
/** A power of two, so that a mask finds the slot. */
const FIRST_SLOTS = 1_024;
const MAX_LOAD = 0.75;

export class AddressSet {
  #slots = FIRST_SLOTS;
  #table = new Uint32Array(FIRST_SLOTS * WORDS);
  #size = 0;
  /** Of the address that is being looked for. Kept here, because an array an address costs more than the look-up. */
  readonly #digest = new Uint32Array(WORDS);

  get size(): number {
    return this.#size;
  }

  /** Memory of the table. Growing needs the old one and the new one at once. */
  get bytes(): number {
    return this.#table.byteLength;
  }

  /** @returns true when the address is new. */
  add(key: string): boolean {
    const at = this.#find(key);
    if (this.#isTaken(at)) return false;
    this.#table.set(this.#digest, at);
    this.#size += 1;
    if (this.#size > this.#slots * MAX_LOAD) this.#grow();
    return true;
  }

  has(key: string): boolean {
    return this.#isTaken(this.#find(key));
  }

  /** Where the address's digest is in the table, or the free place where it belongs. */
  #find(key: string): number {
    const digest = this.#digest;
    // Text is 2.5 times as fast as a Buffer here (0.4 µs), whose allocation dominates.
    const hex = hash('sha256', key, 'hex');
    for (let word = 0; word < WORDS; word++)
      digest[word] = Number.parseInt(hex.slice(word * 8, word * 8 + 8), 16);
    // Zero in the last word marks a free slot.
    digest[WORDS - 1] ||= 1;
    return place(this.#table, this.#slots, digest, 0);
  }

  #isTaken(at: number): boolean {
    return this.#table[at + WORDS - 1] !== 0;
  }

  #grow(): void {
    const old = this.#table;
    const slots = this.#slots * 2;
    const table = new Uint32Array(slots * WORDS);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + WORDS - 1] === 0) continue;
      const free = place(table, slots, old, at);
      for (let word = 0; word < WORDS; word++) table[free + word] = old[at + word] as number;
    }
    this.#slots = slots;
    this.#table = table;
  }
}

/** Where in the table a digest is, or the free place where it belongs. @param from where the digest starts in its array. */
function place(table: Uint32Array, slots: number, digest: Uint32Array, from: number): number {
  let slot = (digest[from] as number) & (slots - 1);
  for (;;) {
    const at = slot * WORDS;
    if (table[at + WORDS - 1] === 0) return at;
    let word = 0;
    while (word < WORDS && table[at + word] === digest[from + word]) word += 1;
    if (word === WORDS) return at;
    slot = (slot + 1) & (slots - 1);
  }
}
