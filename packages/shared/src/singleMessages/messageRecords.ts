/**
 * Where each message is, by its idempotency key: one small value, written by one script, so that the first holder of a key
 * decides what it stands for. It says where the message *shall* be; whether it is there, only the ledger says.
 *
 * Memory: docs/api.md has the bytes a message, and how they are measured.
 */
import { hash } from 'node:crypto';
import type { ChunkRef, ClaimBarrier } from '../ledger/index.js';
import { type Clock, luaScript, type RedisConnection } from '../runtime/index.js';

const messagePut = luaScript(import.meta.url, 'messagePut');
const messageConfirm = luaScript(import.meta.url, 'messageConfirm');

/** The least time that a key is honoured for, ms, however short the retention is. */
const LEAST_LIFE_MS = 24 * 3_600_000;

export interface MessagePlace extends ChunkRef {
  position: number;
}

export interface MessageRecord {
  place: MessagePlace;
  /** Of template, address and data: the same key for something else is a mistake. */
  fingerprint: string;
  /** ms since the epoch. */
  acceptedAt: number;
}

export interface MessageRecordsConfig {
  prefix: string;
  /** How long keys are honoured, ms; a day at least. */
  retentionMs: number;
}

export class MessageRecords {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #config: MessageRecordsConfig;

  constructor({ redis, clock }: { redis: RedisConnection; clock: Clock }, config: MessageRecordsConfig) {
    this.#redis = redis;
    this.#clock = clock;
    this.#config = config;
  }

  /** @param id see `messageId`. */
  async find(id: string): Promise<MessageRecord | undefined> {
    return unpack(await this.#redis.get(this.#key(id)));
  }

  /**
   * Gives a message a place. May be repeated: whoever finds the own place has won.
   * @param expected the place that stands, which is to be left; undefined: none.
   * @returns the record that stands; undefined: the key has run out.
   */
  async put(
    id: string,
    place: MessagePlace,
    fingerprint: string,
    expected: MessagePlace | undefined,
  ): Promise<MessageRecord | undefined> {
    const record = { place, fingerprint, acceptedAt: this.#clock.now() };
    const lifeMs = Math.max(LEAST_LIFE_MS, Math.round(this.#config.retentionMs));
    const args = [expected ? packPlace(expected) : '', pack(record), lifeMs];
    return unpack((await messagePut(this.#redis, [this.#key(id)], args)) as string);
  }

  /** Returns when a record is durable. @throws {NotDurableError} */
  async confirm(id: string, record: MessageRecord, barrier: ClaimBarrier): Promise<void> {
    const key = this.#key(id);
    await barrier.confirmWrite(key, (connection) => messageConfirm(connection, [key], [pack(record)]));
  }

  #key(id: string): string {
    return `${this.#config.prefix}:1:{message/${id}}`;
  }
}

/** Hashed: whatever a client takes as its keys, they don't show in Redis. Keys of different clients have nothing to do with each other. */
export function messageId(client: string, idempotencyKey: string): string {
  return hash('sha256', `${client}\n${idempotencyKey}`, 'base64url').slice(0, 22);
}

export function isSamePlace(a: MessagePlace, b: MessagePlace): boolean {
  return packPlace(a) === packPlace(b);
}

function packPlace({ run, chunk, position }: MessagePlace): string {
  return `${run}/${chunk}/${position}`;
}

function pack({ place, fingerprint, acceptedAt }: MessageRecord): string {
  return `${packPlace(place)} ${fingerprint} ${acceptedAt}`;
}

function unpack(packed: string | null): MessageRecord | undefined {
  const [, run = '', chunk, position, fingerprint = '', acceptedAt] =
    /^(\S+)\/(\d+)\/(\d+) (\S+) (\d+)$/.exec(packed ?? '') ?? [];
  if (!run) return undefined;
  const place = { run, chunk: Number(chunk), position: Number(position) };
  return { place, fingerprint, acceptedAt: Number(acceptedAt) };
}
