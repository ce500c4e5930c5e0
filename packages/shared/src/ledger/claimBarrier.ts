/**
 * Where Redis answers before a write is on disk (`appendfsync everysec`), or where replicas have to have it too, a claim
 * is no claim yet when it is answered. The barrier holds it back until Redis says that it is safe: WAITAOF, or WAIT on
 * servers that know nothing better. https://redis.io/docs/latest/commands/waitaof/
 *
 * So it does with the few other things that may not be forgotten once somebody was told of them: that a run exists, that a
 * chunk is frozen, that an event of SES was taken in.
 *
 * Both commands block their connection, so the barrier has connections of its own, one a master; whoever comes while one
 * waits shares the next wait. What is gone by then (a failover to a replica that never got it) is not confirmed.
 */
import { Cluster, type Redis } from 'ioredis';
import {
  type Clock,
  Groups,
  luaScript,
  type RedisConnection,
  reconnectDelayMs,
  type Service,
} from '../runtime/index.js';
import type { Safeguard } from './durability.js';

const fieldConfirm = luaScript(import.meta.url, 'fieldConfirm');
const memberConfirm = luaScript(import.meta.url, 'memberConfirm');
const versionConfirm = luaScript(import.meta.url, 'versionConfirm');

const UNCONFIRMED = 'Redis has not confirmed a write: its master is away, or another one has taken over';
/** With `everysec` the disk has it after a second; after this long it is the disk or a replica that is missing, ms. */
const WAIT_TIMEOUT_MS = 3_000;

/** What was written may be lost in a crash or a failover: for a claim nothing may be sent. */
export class NotDurableError extends Error {
  override readonly name = 'NotDurableError';
}

/** Looks whether it is there, and writes it once more: 1 when it is. */
type Confirmation = (connection: Redis) => Promise<unknown>;

/** What a store over Redis takes whose writes may have to outlive a failover. */
export interface DurableStoreServices {
  redis: RedisConnection;
  prefix: string;
  clock: Clock;
  /** Where Redis's reply alone makes nothing durable; for whoever tells others of a write. */
  barrier?: ClaimBarrier | undefined;
}

export class ClaimBarrier implements Service {
  readonly name = 'claim barrier';
  readonly #redis: RedisConnection;
  readonly #safeguard: Safeguard;
  readonly #gates = new Map<string, Gate>();

  constructor({ redis }: { redis: RedisConnection }, safeguard: Safeguard) {
    this.#redis = redis;
    this.#safeguard = safeguard;
  }

  /**
   * Resolves when a field of a hash is as safe as the settings ask for: a claim among a chunk's claims, a run's record.
   * @throws {NotDurableError}
   */
  confirm(key: string, field: string): Promise<void> {
    return this.confirmWrite(key, (connection) => fieldConfirm(connection, [key], [field]));
  }

  /**
   * The same for a member of a set.
   * @throws {NotDurableError}
   */
  confirmMember(key: string, member: string): Promise<void> {
    return this.confirmWrite(key, (connection) => memberConfirm(connection, [key], [member]));
  }

  /**
   * The same for all that led to a version of a chunk.
   * @throws {NotDurableError}
   */
  confirmVersion(key: string, version: number): Promise<void> {
    return this.confirmWrite(key, (connection) => versionConfirm(connection, [key], [version]));
  }

  /**
   * The same for any other write.
   * @throws {NotDurableError}
   */
  async confirmWrite(key: string, confirm: Confirmation): Promise<void> {
    const master = await masterOf(this.#redis, key);
    const name = `${master.options.host}:${master.options.port}`;
    const known = this.#gates.get(name);
    const gate = known ?? new Gate(master, this.#safeguard);
    if (!known) this.#gates.set(name, gate);
    return gate.pass(confirm);
  }

  async stop(): Promise<void> {
    for (const gate of this.#gates.values()) gate.close();
    this.#gates.clear();
  }
}

/** The waits on one master, one after the other. */
class Gate {
  readonly #connection: Redis;
  readonly #safeguard: Safeguard;
  readonly #waits = new Groups((confirmations: Confirmation[]) => this.#confirmAll(confirmations));

  constructor(master: Redis, safeguard: Safeguard) {
    this.#connection = master.duplicate({
      connectionName: 'claim-barrier',
      // Without retries: a broken wait proves nothing, and the claim is better given back than held.
      maxRetriesPerRequest: 0,
      // A cluster's own connections to its nodes don't come back by themselves.
      retryStrategy: reconnectDelayMs,
    });
    this.#connection.on('error', () => undefined);
    this.#safeguard = safeguard;
  }

  async pass(confirm: Confirmation): Promise<void> {
    const missing = await this.#waits.add('all', confirm);
    if (missing !== undefined) throw new NotDurableError(missing);
  }

  close(): void {
    this.#connection.disconnect();
  }

  /** @returns what is missing of each, in words; undefined when nothing is. @throws {NotDurableError} */
  async #confirmAll(all: Confirmation[]): Promise<(string | undefined)[]> {
    try {
      const confirmations = all.map((confirm) => confirm(this.#connection));
      const [missing, ...kept] = await Promise.all([this.#wait(confirmations), ...confirmations]);
      return kept.map((answer) => missing ?? (answer === 1 ? undefined : 'Redis has lost a write'));
    } catch (error) {
      throw new NotDurableError(UNCONFIRMED, { cause: error });
    }
  }

  /** What is missing, in words; undefined when nothing is. */
  async #wait(confirmations: Promise<unknown>[]): Promise<string | undefined> {
    // EVALSHA may have to load its script first: the wait goes out when the writes are through.
    await Promise.all(confirmations);
    const { command, disk, replicas } = this.#safeguard;
    const [onDisk, onReplicas] =
      command === 'WAIT'
        ? [disk, await this.#connection.wait(replicas, WAIT_TIMEOUT_MS)]
        : ((await this.#connection.call('WAITAOF', disk, replicas, WAIT_TIMEOUT_MS)) as [number, number]);
    if (onDisk < disk) return `the disk of Redis has not confirmed a write in ${WAIT_TIMEOUT_MS / 1_000} s`;
    if (onReplicas < replicas)
      return `${onReplicas} of ${replicas} replicas of Redis have confirmed a write (REDIS_MIN_REPLICAS)`;
    return undefined;
  }
}

async function masterOf(redis: RedisConnection, key: string): Promise<Redis> {
  if (!(redis instanceof Cluster)) return redis;
  const [address] = redis.slots[Number(await redis.cluster('KEYSLOT', key))] ?? [];
  const master = redis.nodes('master').find(({ options: { host, port } }) => address === `${host}:${port}`);
  if (!master) throw new NotDurableError('no master of Redis is known for a write');
  return master;
}
