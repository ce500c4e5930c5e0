/**
 * The ledger: who is in which state in a run. Every change is one Lua script on one chunk, atomic, and checked against the
 * table in transitions.ts inside of the script. After a crash the states are what they were at the last reply of Redis:
 * with `appendfsync always` that reply comes after the write is on disk.
 */
import { readFileSync } from 'node:fs';
import { luaScript, type RedisConnection } from '../runtime/index.js';
import { type ChunkKeys, type ChunkRef, chunkKeys } from './chunk.js';
import { type ClaimBarrier, NotDurableError } from './claimBarrier.js';
import {
  decodeArchive,
  decodeEntries,
  encodeArchive,
  encodeEntries,
  encodeEntry,
  type JournalEntry,
} from './journal.js';
import {
  type ChunkContent,
  decodeContent,
  encodeRecipients,
  findAddress,
  type Recipient,
  stripRecipients,
} from './recipients.js';
import {
  type LedgerEvent,
  type RecipientState,
  STATE_NAMES,
  STATES,
  transitionsAsLua,
} from './transitions.js';

const prelude = `${transitionsAsLua()}\n${readFileSync(new URL('../../src/ledger/lua/prelude.lua', import.meta.url), 'utf8')}`;
const script = (name: string) => luaScript(import.meta.url, name, prelude);
const chunkCreate = script('chunkCreate');
const chunkTally = script('chunkTally');
const recipientsClaim = script('recipientsClaim');
const recipientsSettle = script('recipientsSettle');
const recipientsMove = script('recipientsMove');
const claimsExpire = script('claimsExpire');
const journalArchive = script('journalArchive');
const journalCompact = script('journalCompact');

/** How many recipients of a chunk are in each state, as of a version of the chunk. */
export type Tally = Record<RecipientState, number> & { version: number };

export interface Claim {
  id: string;
  /** Redis's time, ms. The request is signed with it. */
  claimedAt: number;
  positions: number[];
  tally: Tally;
}

/** What became of one recipient of a claim. */
export type Settlement = JournalEntry & { event: 'accept' | 'reject' | 'release' | 'doubt' | 'suppress' };

export interface Doubt {
  position: number;
  /** When the claim was made, ms: no request of it is accepted after that plus the fence. */
  claimedAt: number;
  claim: string;
}

export interface Moved {
  tally: Tally;
  positions: number[];
}

/** The data in Redis have gone back in time since the chunk was looked at. Nothing was claimed. */
export class OlderDataError extends Error {
  override readonly name = 'OlderDataError';
}

/** The chunk is not in the ledger: its retention is over, or it never was. */
export class UnknownChunkError extends Error {
  override readonly name = 'UnknownChunkError';
}

export class Ledger {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #barrier: ClaimBarrier | undefined;

  /** @param barrier where Redis's reply alone makes nothing durable; for whoever claims, freezes, or takes events in. */
  constructor({
    redis,
    prefix,
    barrier,
  }: {
    redis: RedisConnection;
    prefix: string;
    barrier?: ClaimBarrier | undefined;
  }) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#barrier = barrier;
  }

  /**
   * Creates a chunk. False: another freezer was first, and its content stands.
   * @param entries why some of them are not queued.
   */
  async createChunk(
    ref: ChunkRef,
    recipients: Buffer,
    states: readonly RecipientState[],
    entries: readonly JournalEntry[] = [],
  ): Promise<boolean> {
    const keys = this.#keys(ref);
    const letters = states.map((state) => STATES[state]).join('');
    const created = await chunkCreate(
      this.#redis,
      [keys.states, keys.version, keys.recipients, keys.journal],
      [letters, recipients, encodeEntries(entries)],
    );
    return created === 1;
  }

  /**
   * Has an empty chunk under a number, so that nobody can create another one. False: there is one.
   * See singleMessages/ for who does that, and to whom.
   */
  async bury(ref: ChunkRef): Promise<boolean> {
    return this.createChunk(ref, encodeRecipients([]), []);
  }

  /**
   * Takes up to `limit` queued recipients, and returns when that is durable. No positions: nothing is queued.
   * @param version of the chunk when it was looked at.
   * @throws {NotDurableError} when Redis can't promise to remember it; the claim is given back.
   * @throws {OlderDataError}
   */
  async claim(ref: ChunkRef, id: string, limit: number, version = 0): Promise<Claim> {
    const keys = this.#keys(ref);
    const reply = await this.#run(
      recipientsClaim,
      [keys.states, keys.version, keys.claims],
      [id, limit, version],
    );
    const [claimedAt, tally, ...positions] = reply as [number, number[], ...number[]];
    if (positions.length > 0) await this.#makeDurable(ref, id, positions);
    return { id, claimedAt, tally: toTally(tally), positions };
  }

  async #makeDurable(ref: ChunkRef, claim: string, positions: readonly number[]): Promise<void> {
    try {
      await this.#barrier?.confirm(this.#keys(ref).claims, claim);
    } catch (error) {
      if (!(error instanceof NotDurableError)) throw error;
      const released = positions.map(
        (position) => ({ position, event: 'release', at: 0, detail: '' }) as const,
      );
      await this.settle(ref, claim, released);
      throw error;
    }
  }

  /**
   * Resolves when a chunk as of this version (created: 1) is as safe as a claim: somebody is told next, who does not tell us again.
   * @throws {NotDurableError}
   */
  async confirm(ref: ChunkRef, version: number): Promise<void> {
    await this.#barrier?.confirmVersion(this.#keys(ref).version, version);
  }

  /**
   * Settles a whole claim. Positions that are returned were refused: the claim had run out meanwhile, and what the
   * worker knows does not count any more (an `accept` always does).
   */
  async settle(
    ref: ChunkRef,
    claim: string,
    settlements: readonly Settlement[],
  ): Promise<{ tally: Tally; refused: number[] }> {
    const keys = this.#keys(ref);
    const reply = await this.#run(
      recipientsSettle,
      [keys.states, keys.version, keys.claims, keys.doubts, keys.journal],
      [claim, encodeEntries(settlements.filter(({ event }) => event !== 'release')), ...byEvent(settlements)],
    );
    const [tally, ...refused] = reply as [number[], ...number[]];
    return { tally: toTally(tally), refused };
  }

  /**
   * One event for recipients outside of a claim. What the table does not allow stays as it is.
   * @param claimedBefore only doubts whose claim is at most this old (ms since the epoch); for `resend` by proof of absence.
   */
  async move(
    ref: ChunkRef,
    event: Exclude<LedgerEvent, Settlement['event'] | 'claim'>,
    positions: readonly number[] | 'all',
    { at, detail, claimedBefore = 0 }: { at: number; detail: string; claimedBefore?: number },
  ): Promise<Moved> {
    const who =
      positions === 'all' ? positions : positions.map((position) => ({ position, event, at, detail }));
    return this.#move(ref, event, who, claimedBefore);
  }

  /** Whoever is in doubt here has got the mail. @param proofs the mails' times (ms) and message ids, by position. */
  async prove(ref: ChunkRef, proofs: readonly Omit<JournalEntry, 'event'>[]): Promise<Moved> {
    return this.#move(
      ref,
      'evidence',
      proofs.map((proof) => ({ ...proof, event: 'evidence' })),
    );
  }

  async #move(
    ref: ChunkRef,
    event: LedgerEvent,
    who: readonly JournalEntry[] | 'all',
    claimedBefore = 0,
  ): Promise<Moved> {
    const keys = this.#keys(ref);
    const args = who === 'all' ? ['*'] : who.flatMap((entry) => [entry.position, encodeEntry(entry)]);
    const reply = await this.#run(
      recipientsMove,
      [keys.states, keys.version, keys.doubts, keys.journal],
      [event, claimedBefore, ...args],
    );
    return toMoved(reply);
  }

  /** Puts in doubt what claims older than the fence still hold. `oldestAgeMs` is -1 when no claim is left. */
  async expireClaims(ref: ChunkRef, fenceMs: number): Promise<Moved & { oldestAgeMs: number }> {
    const keys = this.#keys(ref);
    const reply = await this.#run(
      claimsExpire,
      [keys.states, keys.version, keys.claims, keys.doubts],
      [fenceMs],
    );
    const [tally, oldestAgeMs, ...positions] = reply as [number[], number, ...number[]];
    return { tally: toTally(tally), oldestAgeMs, positions };
  }

  /** The numbers of a chunk as they are now. */
  async tally(ref: ChunkRef): Promise<Tally> {
    const { states, version } = this.#keys(ref);
    return toTally((await this.#run(chunkTally, [states, version], [])) as number[]);
  }

  /** Removes a chunk that is part of no run: a freezer that was overtaken made it. */
  async drop(ref: ChunkRef): Promise<void> {
    await this.#redis.unlink(...Object.values(this.#keys(ref)));
  }

  async recipients(ref: ChunkRef): Promise<Recipient[]> {
    return (await this.content(ref)).recipients;
  }

  /** @throws {UnknownChunkError} */
  async content(ref: ChunkRef): Promise<ChunkContent> {
    const packed = await this.#redis.getBuffer(this.#keys(ref).recipients);
    if (!packed)
      throw new UnknownChunkError(`The recipients of ${ref.run}/${ref.chunk} are not kept any more.`);
    return decodeContent(packed);
  }

  /** Where an address is in a chunk; nowhere when addresses are not kept any more. @param key its `addressKey`. */
  async positionsOf(ref: ChunkRef, key: string): Promise<number[]> {
    const packed = await this.#redis.getBuffer(this.#keys(ref).recipients);
    return packed ? findAddress(packed, key) : [];
  }

  /** The state of each position; undefined when the chunk does not exist. */
  async states(ref: ChunkRef): Promise<RecipientState[] | undefined> {
    const states = await this.#redis.get(this.#keys(ref).states);
    return states === null ? undefined : Array.from(states, stateOf);
  }

  async doubts(ref: ChunkRef): Promise<Doubt[]> {
    const doubts = await this.#redis.hgetall(this.#keys(ref).doubts);
    return Object.entries(doubts).map(([position, doubt]) => {
      const [claimedAt = '0', claim = ''] = doubt.split(' ');
      return { position: Number(position), claimedAt: Number(claimedAt), claim };
    });
  }

  /** Everything that was written down, oldest first. */
  async journal(ref: ChunkRef): Promise<JournalEntry[]> {
    const { archive, open } = await this.#journalOf(ref);
    return decodeEntries([...(archive ? decodeArchive(archive) : []), ...open]);
  }

  /**
   * Compresses the journal of a chunk that has been sent: a third of its size, for as long as the run goes on. What is written
   * later stays beside it until the chunk ends.
   */
  async archive(ref: ChunkRef): Promise<void> {
    const kept = await this.#journalOf(ref);
    if (kept.open.length === 0) return;
    const { journal, archive } = this.#keys(ref);
    // Where somebody has written meanwhile it is left to the chunk's end.
    await this.#run(
      journalArchive,
      [journal, archive],
      [kept.open.length, kept.archive?.length ?? 0, await archiveOf(kept)],
    );
  }

  async #journalOf(ref: ChunkRef): Promise<KeptJournal> {
    const keys = this.#keys(ref);
    const replies = await this.#redis.multi().getBuffer(keys.archive).lrange(keys.journal, 0, -1).exec();
    const [archive, open] = (replies ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply;
    });
    return { archive: archive as Buffer | null, open: open as string[] };
  }

  /**
   * Ends a chunk: the journal is compressed, merge data goes except for those who may be tried again, and everything gets
   * its time to live. May be repeated; what came to the journal after the first time is taken in.
   */
  async compact(ref: ChunkRef, retention: { journalMs: number; ledgerMs: number }): Promise<void> {
    const keys = this.#keys(ref);
    for (let isDone = false; !isDone; ) {
      const states = await this.states(ref);
      const packed = await this.#redis.getBuffer(keys.recipients);
      if (!states || !packed) return;
      const journal = await this.#journalOf(ref);
      const needed = stripRecipients(packed, (position) => states[position] === 'rejected');
      const reply = await this.#run(journalCompact, Object.values(keys), [
        journal.open.length,
        journal.archive?.length ?? 0,
        await archiveOf(journal),
        needed,
        Math.round(retention.journalMs),
        Math.round(retention.ledgerMs),
      ]);
      isDone = reply === 1;
    }
  }

  #keys(ref: ChunkRef): ChunkKeys {
    return chunkKeys(this.#prefix, ref);
  }

  async #run(
    script: ReturnType<typeof luaScript>,
    keys: string[],
    args: (string | number | Buffer)[],
  ): Promise<unknown> {
    try {
      return await script(this.#redis, keys, args);
    } catch (error) {
      if (error instanceof Error && error.message.includes('NOCHUNK'))
        throw new UnknownChunkError(error.message, { cause: error });
      if (error instanceof Error && error.message.includes('OLDERDATA'))
        throw new OlderDataError(error.message, { cause: error });
      throw error;
    }
  }
}

/** A chunk's journal as Redis has it. */
interface KeptJournal {
  archive: Buffer | null;
  /** What has come since. */
  open: string[];
}

async function archiveOf({ archive, open }: KeptJournal): Promise<Buffer> {
  if (archive && open.length === 0) return archive;
  return encodeArchive([...(archive ? decodeArchive(archive) : []), ...open]);
}

/** Event, its positions, event, its positions… */
function byEvent(settlements: readonly Settlement[]): string[] {
  const positions = new Map<string, number[]>();
  for (const { position, event } of settlements) {
    const same = positions.get(event);
    if (same) same.push(position);
    else positions.set(event, [position]);
  }
  return [...positions].flatMap(([event, of]) => [event, of.join(',')]);
}

function toTally([version, ...numbers]: number[]): Tally {
  const counts = Object.fromEntries(STATE_NAMES.map((state, index) => [state, numbers[index] ?? 0]));
  return { ...(counts as Record<RecipientState, number>), version: Number(version) };
}

function toMoved(reply: unknown): Moved {
  const [tally, ...positions] = reply as [number[], ...number[]];
  return { tally: toTally(tally), positions };
}

function stateOf(letter: string): RecipientState {
  const state = STATE_NAMES.find((name) => STATES[name] === letter);
  if (!state) throw new Error(`The ledger holds the unknown state "${letter}".`);
  return state;
}
