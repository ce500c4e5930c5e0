/**
 * Frequency caps: a person gets at most so many mails of a group of campaigns within any stretch of time. Asked when a
 * recipient is claimed, and answered by a reservation: one atomic step a person looks at the history and adds to it, so that
 * of campaigns that come to the same person at the same moment, from however many workers, exactly `max` get through.
 *
 * A reservation stands from before the mail until its time is over, whatever becomes of the worker: who dies between has
 * used up a place, and a person gets one mail less, never one more. It is the run's: the same run asks again (released, in
 * doubt, sent again by an operator) and has its place still. A refusal for good gives the place back; what else was never
 * sent (the run was cancelled after a release) keeps it until its time is over.
 *
 * The history is the group's, the rule is each campaign's own. Times are Redis's.
 *
 * Memory: no address, 8 bytes of its digest, and 9 bytes a mail. With a million people who got one mail each it came to 25
 * bytes a person on Redis 7.0, and a place for 100 people to 3.1 ms with `appendfsync always` (`npm run bench -- caps`, 2026-11).
 * It goes when the longest `per` that a campaign of the group asks for is over; with others of the same hash, at the latest a
 * quarter of it later.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Cap, capPerMs } from '../campaign/index.js';
import { luaScript, type RedisConnection } from '../runtime/index.js';
import { Buckets } from '../suppression/index.js';

const prelude = readFileSync(new URL('../../src/caps/lua/prelude.lua', import.meta.url), 'utf8');
const placesTake = luaScript(import.meta.url, 'placesTake', prelude);
const placesGiveBack = luaScript(import.meta.url, 'placesGiveBack', prelude);

/** Of a person, beside the bits that its place in the list comes from. */
const DIGEST_DIGITS = 16;
/** Of a run, in a person's entries: a dozen runs at the most, so 40 bits tell them apart. */
const RUN_BYTES = 5;

export class FrequencyCaps {
  readonly #redis: RedisConnection;
  readonly #prefix: string;

  constructor({ redis, prefix }: { redis: RedisConnection; prefix: string }) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /**
   * Takes a place for each, where there is one. At most 16 commands, sent at once; may be repeated.
   * @param addresses their keys.
   * @returns the indexes of those who have had enough.
   */
  async take(cap: Cap, run: string, addresses: readonly string[]): Promise<number[]> {
    const seconds = Math.round(capPerMs(cap) / 1_000);
    const full = await Promise.all(
      this.#shards(cap, addresses).map(async ({ keys, digests, indexes }) => {
        const args = [seconds, cap.max, shortOf(run), ...digests];
        const places = (await placesTake(this.#redis, keys, args)) as number[];
        return places.map((place) => indexes[place] as number);
      }),
    );
    return full.flat();
  }

  /** For whom certainly nothing was sent. May be repeated. */
  async giveBack(cap: Cap, run: string, addresses: readonly string[]): Promise<void> {
    await Promise.all(
      this.#shards(cap, addresses).map(({ keys, digests }) =>
        placesGiveBack(this.#redis, keys, [shortOf(run), ...digests]),
      ),
    );
  }

  #shards({ group }: Cap, addresses: readonly string[]) {
    const buckets = new Buckets(this.#prefix, `capped/${group}`);
    return buckets.byShard(addresses).map(({ keys, digests, indexes }) => ({
      keys,
      indexes,
      digests: digests.map((digest) => Buffer.from(digest.slice(0, DIGEST_DIGITS), 'hex')),
    }));
  }
}

function shortOf(run: string): Buffer {
  return hash('sha256', run, 'buffer').subarray(0, RUN_BYTES);
}
