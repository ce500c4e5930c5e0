/**
 * What arrived of one run, counted as small as it goes: a byte a position where ids are Sendonce's own, a string elsewhere.
 * A million mails of a run are 2 MB of bytes and some 40 MB of address hashes.
 */
export const RUN_TAG = 'sendonce_run';
const CHUNK_TAG = 'sendonce_chunk';
const POSITION_TAG = 'sendonce_position';

/** Positions over this are held to be no position: an array would have to be as long. */
const MAX_POSITION = 65_535;

export interface RunNumbers {
  messages: number;
  /** Different mails: by X-Sendonce-Id, or by recipients and tags where there is none. */
  recipients: number;
  /** Mails that came again. */
  duplicates: number;
  /** Different addresses, without regard to case. Fewer than recipients: somebody was in the list twice. */
  addresses: number;
  /** Mails that could not be compared with earlier ones any more, because the limit was reached. */
  unchecked: number;
}

export interface TalliedMail {
  recipients: readonly string[];
  tags: Readonly<Record<string, string>>;
  sendonceId?: string;
}

/** How many strings and hashes all runs together may still keep. */
export interface Budget {
  left: number;
}

export class RunTally {
  readonly #run: string;
  readonly #budget: Budget;
  readonly #byId = new PositionCounts();
  readonly #byTags = new PositionCounts();
  readonly #otherIds = new Map<string, number>();
  readonly #addresses = new Set<number>();
  #messages = 0;
  #duplicates = 0;
  #unchecked = 0;

  constructor(run: string, budget: Budget) {
    this.#run = run;
    this.#budget = budget;
  }

  get numbers(): RunNumbers {
    return {
      messages: this.#messages,
      recipients: this.#messages - this.#duplicates,
      duplicates: this.#duplicates,
      addresses: this.#addresses.size,
      unchecked: this.#unchecked,
    };
  }

  /** Counts a mail. @returns its identity and how often it has come by now. */
  add(mail: TalliedMail): { id: string; times: number } {
    this.#messages += 1;
    for (const address of mail.recipients) this.#addAddress(address);
    const at = positionOf(mail.tags);
    if (at) this.#byTags.add(at.chunk, at.position);
    const id = mail.sendonceId ?? `${mail.recipients.join(', ')} ${JSON.stringify(sorted(mail.tags))}`;
    const isOurs = at && mail.sendonceId === `${this.#run}/${at.chunk}/${at.position}`;
    const times = isOurs ? this.#byId.add(at.chunk, at.position) : this.#addOther(id);
    if (times > 1) this.#duplicates += 1;
    return { id, times };
  }

  /** `chunk/position` → how often it came. */
  positions(): Generator<[chunk: number, position: number, times: number]> {
    return this.#byTags.entries();
  }

  #addOther(id: string): number {
    const times = (this.#otherIds.get(id) ?? 0) + 1;
    if (times === 1 && this.#budget.left <= 0) {
      this.#unchecked += 1;
      return 1;
    }
    if (times === 1) this.#budget.left -= 1;
    this.#otherIds.set(id, times);
    return times;
  }

  #addAddress(address: string): void {
    const hash = hash53(address.toLowerCase());
    if (this.#addresses.has(hash) || this.#budget.left <= 0) return;
    this.#budget.left -= 1;
    this.#addresses.add(hash);
  }
}

/** One byte a position, an array a chunk; more than 255 times is 255 times. */
class PositionCounts {
  readonly #chunks = new Map<number, Uint8Array>();

  add(chunk: number, position: number): number {
    let counts = this.#chunks.get(chunk);
    if (!counts || counts.length <= position) {
      const longer = new Uint8Array(Math.max(512, 2 ** Math.ceil(Math.log2(position + 1))));
      if (counts) longer.set(counts);
      counts = longer;
      this.#chunks.set(chunk, counts);
    }
    const times = Math.min((counts[position] ?? 0) + 1, 255);
    counts[position] = times;
    return times;
  }

  *entries(): Generator<[chunk: number, position: number, times: number]> {
    for (const [chunk, counts] of this.#chunks) {
      for (const [position, times] of counts.entries()) if (times > 0) yield [chunk, position, times];
    }
  }
}

function positionOf(tags: TalliedMail['tags']): { chunk: number; position: number } | undefined {
  const [chunk, position] = [tags[CHUNK_TAG], tags[POSITION_TAG]];
  if (chunk === undefined || position === undefined) return undefined;
  if (!/^(0|[1-9]\d{0,8})$/.test(chunk) || !/^(0|[1-9]\d{0,4})$/.test(position)) return undefined;
  return Number(position) > MAX_POSITION ? undefined : { chunk: Number(chunk), position: Number(position) };
}

function sorted(tags: TalliedMail['tags']): [string, string][] {
  return Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Two FNV-1a of 32 and 21 bits. For a million addresses one is missed with a probability of 1 in 18,000. */
function hash53(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x2f0b4a27;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x5bd1e995) + i;
  }
  return (low >>> 0) + (high >>> 11) * 2 ** 32;
}
