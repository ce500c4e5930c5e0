/**
 * Who came to the suppression list lately. An audience is looked up when it is frozen; whoever is claimed later was on the list
 * by then, or has come to it since. So a worker keeps the few who have come lately in its memory, asks for news with one
 * command a micro-batch, and looks up only those: instead of a hash an address (1.1 Redis commands and 12 µs of processor
 * time a recipient).
 *
 * An address is noted before it comes to the list, so that nobody is on the list and not here. Beyond a number and an age
 * the oldest are forgotten, and the horizon says up to when: runs from before it look everybody up.
 */
import { readFileSync } from 'node:fs';
import { luaScript, type RedisConnection } from '../runtime/index.js';

const prelude = readFileSync(new URL('../../src/suppression/lua/latePrelude.lua', import.meta.url), 'utf8');
const lateNote = luaScript(import.meta.url, 'lateNote', prelude);
const lateRead = luaScript(import.meta.url, 'lateRead', prelude);

/** 2 MB of Redis. A list of millions that is imported passes through it. */
const KEPT = 20_000;
const KEPT_MS = 2 * 86_400_000;
/** Addresses a call. */
const NOTED_AT_A_TIME = 1_000;
/** Read again, for a clock of Redis's that is set back, ms. */
const OVERLAP_MS = 5_000;
/** A worker that runs for months begins anew, addresses. */
const MOST_IN_MEMORY = 100_000;
/** Clocks of processes and Redis's may differ by a minute, ms. */
const MARGIN_MS = 120_000;

function keysOf(prefix: string): [string, string] {
  const base = `${prefix}:1:{suppressed-lately}`;
  return [`${base}:added`, `${base}:horizon`];
}

/** To be called before addresses come to the list. */
export async function noteLate(
  { redis, prefix }: { redis: RedisConnection; prefix: string },
  addresses: readonly string[],
): Promise<void> {
  // Of a long list only the last would stay.
  const last = addresses.slice(-KEPT - 1);
  for (let first = 0; first < last.length; first += NOTED_AT_A_TIME)
    await lateNote(redis, keysOf(prefix), [KEPT, KEPT_MS, ...last.slice(first, first + NOTED_AT_A_TIME)]);
}

export class LateSuppressions {
  readonly #redis: RedisConnection;
  readonly #keys: [string, string];
  #added = new Set<string>();
  #readUpTo = 0;
  #horizon = Number.POSITIVE_INFINITY;

  constructor({ redis, prefix }: { redis: RedisConnection; prefix: string }) {
    this.#redis = redis;
    this.#keys = keysOf(prefix);
  }

  /** Learns who has come to the list. One command. */
  async refresh(): Promise<void> {
    const from = this.#added.size > MOST_IN_MEMORY ? 0 : this.#readUpTo;
    const reply = await lateRead(this.#redis, this.#keys, [from - OVERLAP_MS, KEPT_MS]);
    const [now, addresses, horizon] = reply as [number, string[], number?];
    // Never less than what somebody who has not waited for this one leans on.
    if (from === 0) this.#added = new Set(addresses);
    else for (const address of addresses) this.#added.add(address);
    this.#readUpTo = Math.max(this.#readUpTo, now);
    this.#horizon = horizon ?? this.#horizon;
  }

  /** @returns indexes of those who may have come to the list between then and the last refresh; nobody else has. */
  among(addresses: readonly string[], since: Date): number[] {
    const isComplete = since.getTime() - MARGIN_MS > this.#horizon;
    return [...addresses.keys()].filter(
      (index) => !isComplete || this.#added.has(addresses[index] as string),
    );
  }
}
