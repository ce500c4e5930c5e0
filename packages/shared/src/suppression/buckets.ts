/**
 * Where an address is in a list of many: one of 16 shards, each a hash tag of its own, so that the list spreads over the nodes
 * of a cluster and a script touches one slot; and in a shard one of 1024 hashes, address → entries.
 *
 * Why so many: a small hash is one packed piece of memory, a large one a table with pointers. Why few shards: a look-up
 * costs a command a shard, however many addresses it is for. See suppressionList.ts for what it comes to.
 */
import { hash } from 'node:crypto';

const SHARD_BITS = 4;
const BUCKET_BITS = 10;
const SHARDS = 2 ** SHARD_BITS;
const BUCKETS = 2 ** BUCKET_BITS;
/** A place comes from so many digits of the digest. */
const PLACE_DIGITS = 8;

/** Addresses of one shard, by their index: what one script call may take. */
export interface ShardGroup {
  /** Of the hash of each. */
  keys: string[];
  /** Of each, for lists that hold no address: the bits of its SHA-256 that its place does not come from, in hex. */
  digests: string[];
  indexes: number[];
}

export class Buckets {
  readonly #prefix: string;
  readonly #list: string;

  /**
   * @param prefix `REDIS_PREFIX`
   * @param list what its keys are called.
   */
  constructor(prefix: string, list = 'suppressed') {
    this.#prefix = prefix;
    this.#list = list;
  }

  /** The hash that an address is in. */
  keyOf(address: string): string {
    const { shard, bucket } = placeOf(address);
    return `${this.#base(shard)}${bucket.toString(36)}`;
  }

  /** Where an address's transient bounces are counted: in the same slot. */
  transientKeyOf(address: string): string {
    const { shard, digest } = placeOf(address);
    return `${this.#base(shard)}transient:${digest}`;
  }

  byShard(addresses: readonly string[]): ShardGroup[] {
    const shards = new Map<number, ShardGroup>();
    for (const [index, address] of addresses.entries()) {
      const { shard, bucket, digest } = placeOf(address);
      const group = shards.get(shard) ?? { keys: [], digests: [], indexes: [] };
      group.keys.push(`${this.#base(shard)}${bucket.toString(36)}`);
      group.digests.push(digest.slice(PLACE_DIGITS));
      group.indexes.push(index);
      shards.set(shard, group);
    }
    return [...shards.values()];
  }

  /** All hashes there may be, in a fixed order. */
  *all(): Generator<string> {
    for (let shard = 0; shard < SHARDS; shard++)
      for (let bucket = 0; bucket < BUCKETS; bucket++) yield `${this.#base(shard)}${bucket.toString(36)}`;
  }

  #base(shard: number): string {
    return `${this.#prefix}:1:{${this.#list}/${shard}}:`;
  }
}

function placeOf(address: string): { shard: number; bucket: number; digest: string } {
  const digest = hash('sha256', address, 'hex');
  const bits = Number.parseInt(digest.slice(0, PLACE_DIGITS), 16);
  return { shard: bits % SHARDS, bucket: Math.floor(bits / SHARDS) % BUCKETS, digest: digest.slice(0, 32) };
}
