/**
 * Notices that Redis's data went back in time: a backup was restored, a server came up empty, a replica that lagged behind
 * took over. What the ledger has forgotten was sent, and would be sent again; so everything is held, and an operator is
 * asked.
 *
 * Redis holds a mark that every process moves on every few seconds; each process remembers the last one that it saw, in its
 * memory and in a file of its own. Data with a lower mark than somebody remembers are older than they should be.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { awaitDurability, type ClaimBarrier, NotDurableError } from '../ledger/index.js';
import type { Runs } from '../run/index.js';
import {
  type Logger,
  luaScript,
  messageOf,
  type RedisConnection,
  type Service,
  UsageError,
} from '../runtime/index.js';
import { continuityKey } from './continuityKey.js';
import { type Memory, StateFile } from './stateFile.js';

const prelude = readFileSync(new URL('../../src/continuity/lua/prelude.lua', import.meta.url), 'utf8');
const marksMeet = luaScript(import.meta.url, 'marksMeet', prelude);
const hold = luaScript(import.meta.url, 'hold', prelude);
const release = luaScript(import.meta.url, 'release', prelude);

const MARK_EVERY_MS = 2_000;
/** A process that remembers nothing asks when nobody has touched the data for so long and there is work in them, ms. */
const OLD_MS = 15 * 60_000;

const REASONS = {
  lost: 'Redis is empty, and was not',
  older:
    'the data in Redis are older than those that were there before: a backup, or a replica that lagged behind',
  other: 'Redis holds the data of another installation than before',
  old: 'nobody has touched the data in Redis for a quarter of an hour, there is work in them, and nothing remembers them: a backup?',
};

export interface Hold {
  reason: string;
  since: Date;
}

export interface ContinuityServices {
  /** Where Redis's reply alone makes nothing durable: then only a mark that it has confirmed is remembered. */
  barrier?: ClaimBarrier | undefined;
  logger: Logger;
  redis: RedisConnection;
  runs: Runs;
}

export interface ContinuityConfig {
  prefix: string;
  /** Where what is remembered outside of Redis lies. */
  stateDir: string;
  /** One file a name. */
  name: string;
}

type Verdict = 'known' | 'held' | 'old' | 'foreign';

export class Continuity implements Service {
  readonly name = 'continuity';
  readonly #services: ContinuityServices;
  readonly #key: string;
  readonly #file: StateFile;
  #memory: Memory | undefined;
  /** What was seen last. */
  #seen: Memory | undefined;
  /** What is remembered is safe in Redis. Otherwise a crash may cost a second, which is no reason to hold anything. */
  #isSynchronous = false;
  #hold: Hold | undefined;
  #releasedAt = 0;
  /** False from the moment when the connection is lost until the data that are there now have been looked at. */
  #isSure = false;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(services: ContinuityServices, { prefix, stateDir, name }: ContinuityConfig) {
    this.#services = services;
    this.#key = continuityKey(prefix);
    this.#file = new StateFile(stateDir, `${prefix}-${name}`);
    services.redis.on('close', () => {
      this.#isSure = false;
    });
  }

  /**
   * Looks at the data for the first time.
   * @throws {UsageError} when the file can't be read, or is of another installation.
   */
  async start(): Promise<void> {
    this.#memory = this.#file.read();
    const { barrier, redis } = this.#services;
    this.#isSynchronous =
      barrier !== undefined || (await awaitDurability(redis, 0)).guarantee === 'every-write';
    await this.#look();
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) =>
        this.#services.logger.warn(
          { reason: messageOf(error) },
          'the mark of the data could not be moved on',
        ),
      );
    }, MARK_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking?.catch(() => undefined);
  }

  /** Why everything is held, as far as this process knows. */
  get hold(): Hold | undefined {
    return this.#hold;
  }

  /**
   * When an operator has last let data from before go on, ms; 0: never. What has become of mails that were claimed until then
   * may be in data that are lost: that no event of theirs is known proves nothing.
   */
  get releasedAt(): number {
    return this.#releasedAt;
  }

  /**
   * Whether work may begin: nothing is held, and the data are those that were there before. Costs nothing while the
   * connection lasts.
   */
  async mayWork(): Promise<boolean> {
    if (!this.#isSure) await this.look();
    return this.#hold === undefined;
  }

  /** Somebody has met data that are older than what it had seen. */
  async suspect(): Promise<void> {
    if (this.#isSynchronous) await hold(this.#services.redis, [this.#key], ['older']);
    await this.look();
  }

  /** One look at a time. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    let reply = await this.#meet(OLD_MS);
    if (reply.verdict === 'old') {
      const { runs, redis } = this.#services;
      if ((await runs.open()).length > 0) await hold(redis, [this.#key], ['old']);
      reply = await this.#meet('');
    }
    if (reply.verdict === 'foreign') throw new UsageError(this.#foreign(reply.installation));
    this.#isSure = true;
    const { heldAt, reason, releasedAt, ...memory } = reply;
    this.#releasedAt = releasedAt;
    const wasHeld = this.#hold !== undefined;
    this.#hold = heldAt ? { reason: reasonOf(reason), since: new Date(Number(heldAt)) } : undefined;
    if (this.#hold && !wasHeld)
      this.#services.logger.error({ reason: this.#hold.reason }, 'everything is held');
    if (!this.#hold && wasHeld) this.#services.logger.info('no longer held');
    // While it is held the last that is known of the right data must not be forgotten.
    if (this.#hold) return;
    const { installation, mark, at } = memory;
    const seen = this.#seen;
    this.#seen = { installation, mark, at };
    if (!(await this.#isConfirmed())) return;
    if (this.#isSynchronous) this.#memory = this.#seen;
    // One mark back, which is on disk by now.
    else this.#memory = seen?.installation === installation ? seen : { installation, mark: 0, at };
    await this.#file.write(this.#memory);
  }

  /** A failover may lose a mark that no replica has: the data would look older than they have to be. */
  async #isConfirmed(): Promise<boolean> {
    try {
      await this.#services.barrier?.confirm(this.#key, 'mark');
      return true;
    } catch (error) {
      if (error instanceof NotDurableError) return false;
      throw error;
    }
  }

  async #meet(askFromMs: number | '') {
    const { installation = '', mark = 0, at = 0 } = this.#memory ?? {};
    const reply = await marksMeet(
      this.#services.redis,
      [this.#key],
      [installation, mark, at, randomUUID(), askFromMs],
    );
    const [verdict, found, foundMark, now, heldAt, reason, releasedAt] = reply as [
      Verdict,
      string,
      number,
      number,
      string,
      string,
      number,
    ];
    return { verdict, installation: found, mark: foundMark, at: now, heldAt, reason, releasedAt };
  }

  #foreign(installation: string): string {
    return `${this.#file.path} remembers the installation ${this.#memory?.installation}, and Redis holds another one, ${installation}, which has been there for longer. Check REDIS_URL and STATE_DIR; if both are right, remove the file.`;
  }
}

function reasonOf(reason: string): string {
  return REASONS[reason as keyof typeof REASONS] ?? reason;
}

/** Whether an installation is held, for who shows it. */
export async function readHold(
  redis: RedisConnection,
  prefix: string,
): Promise<(Hold & { dataAt: Date }) | undefined> {
  const [heldAt, reason, dataAt] = await redis.hmget(continuityKey(prefix), 'held_at', 'reason', 'data_at');
  if (!heldAt) return undefined;
  return {
    reason: reasonOf(reason ?? ''),
    since: new Date(Number(heldAt)),
    dataAt: new Date(Number(dataAt)),
  };
}

/** @returns false when nothing is held. */
export async function releaseHold(redis: RedisConnection, prefix: string): Promise<boolean> {
  return (await release(redis, [continuityKey(prefix)], [])) === 1;
}
