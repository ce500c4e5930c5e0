/**
 * Where Redis answers before a write is on disk (`appendfsync everysec`), or where replicas have to have it too, a claim
 * is no claim yet when it is answered. The barrier holds it back until Redis says that it is safe: WAITAOF, or WAIT on
 * servers that know nothing better. https://redis.io/docs/latest/commands/waitaof/
 *
 * Both commands block their connection, so the barrier has connections of its own, one a master; claims that come while
 * one waits share the next wait. A claim that is gone by then (a failover to a replica that never got it) is not confirmed.
 */
import { Cluster, type Redis } from 'ioredis';
import { luaScript, type RedisConnection, type Service } from '../runtime/index.js';
import type { Safeguard } from './durability.js';

const claimConfirm = luaScript(import.meta.url, 'claimConfirm');

/** With `everysec` the disk has it after a second; after this long it is the disk or a replica that is missing, ms. */
const WAIT_TIMEOUT_MS = 3_000;

/** The claim may be lost in a crash: nothing may be sent for it. */
export class ClaimNotDurableError extends Error {
  override readonly name = 'ClaimNotDurableError';
}

type Rewrite = (redis: Redis) => Promise<unknown>;

interface Waiting {
  rewrite: Rewrite;
  resolve(): void;
  reject(error: Error): void;
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
   * Resolves when the claim is as safe as the settings ask for.
   * @param key of the hash of claims.
   * @throws {ClaimNotDurableError}
   */
  async confirm(key: string, claim: string): Promise<void> {
    await this.confirmWrite(key, (redis) => claimConfirm(redis, [key], [claim]));
  }

  /**
   * The same for another write.
   * @param rewrite writes it once more on the barrier's connection; answers 1, or 0 when the server has lost it.
   * @throws {ClaimNotDurableError}
   */
  async confirmWrite(key: string, rewrite: Rewrite): Promise<void> {
    const master = await masterOf(this.#redis, key);
    const name = `${master.options.host}:${master.options.port}`;
    const known = this.#gates.get(name);
    const gate = known ?? new Gate(master, this.#safeguard);
    if (!known) this.#gates.set(name, gate);
    return gate.pass(rewrite);
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
  #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(master: Redis, safeguard: Safeguard) {
    // Without retries: a broken wait proves nothing, and the claim is better given back than held.
    this.#connection = master.duplicate({ maxRetriesPerRequest: 0, connectionName: 'claim-barrier' });
    this.#connection.on('error', () => undefined);
    this.#safeguard = safeguard;
  }

  pass(rewrite: Rewrite): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rewrite, resolve, reject });
      if (!this.#isBusy) void this.#work();
    });
  }

  close(): void {
    this.#connection.disconnect();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0);
      await this.#confirmGroup(group).catch((error: unknown) => {
        const cause = new ClaimNotDurableError('Redis has not confirmed a claim', { cause: error });
        for (const { reject } of group) reject(cause);
      });
    }
    this.#isBusy = false;
  }

  async #confirmGroup(group: Waiting[]): Promise<void> {
    const confirmations = group.map(({ rewrite }) => rewrite(this.#connection));
    const [acknowledged, ...kept] = await Promise.all([this.#wait(confirmations), ...confirmations]);
    group.forEach(({ resolve, reject }, index) => {
      if (acknowledged !== undefined) reject(new ClaimNotDurableError(acknowledged));
      else if (kept[index] !== 1) reject(new ClaimNotDurableError('Redis has lost a claim'));
      else resolve();
    });
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
    if (onDisk < disk) return `the disk of Redis has not confirmed a claim in ${WAIT_TIMEOUT_MS / 1_000} s`;
    if (onReplicas < replicas)
      return `${onReplicas} of ${replicas} replicas of Redis have confirmed a claim (REDIS_MIN_REPLICAS)`;
    return undefined;
  }
}

async function masterOf(redis: RedisConnection, key: string): Promise<Redis> {
  if (!(redis instanceof Cluster)) return redis;
  const [address] = redis.slots[Number(await redis.cluster('KEYSLOT', key))] ?? [];
  const master = redis.nodes('master').find(({ options: { host, port } }) => address === `${host}:${port}`);
  if (!master) throw new ClaimNotDurableError('no master of Redis is known for a claim');
  return master;
}
