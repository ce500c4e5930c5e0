/**
 * All runs: created once, listed, counted, paused, resumed, cancelled. A run's record, its pinned campaign and the numbers
 * of its chunks share a hash tag. Two indexes lead to it: all runs by scheduled time, and those that are still open.
 */
import { readFileSync } from 'node:fs';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type AttachmentContents, readAttachments } from '../attachments/index.js';
import type { CampaignSnapshot } from '../campaign/index.js';
import { type ClaimBarrier, type DurableStoreServices, STATE_NAMES, type Tally } from '../ledger/index.js';
import { type Clock, luaScript, type RedisConnection, UsageError } from '../runtime/index.js';
import type { MailOutcome } from './mailOutcomes.js';
import { parseRunId, runIdOf } from './runId.js';
import { encodeParts } from './runParts.js';
import { type Pause, type RunOrigin, type RunRecord, toRunRecord } from './runRecord.js';

const runCreate = luaScript(import.meta.url, 'runCreate');
const runFrozen = luaScript(import.meta.url, 'runFrozen');
const prelude = readFileSync(new URL('../../src/run/lua/prelude.lua', import.meta.url), 'utf8');
const runTally = luaScript(import.meta.url, 'runTally', prelude);
const runGate = luaScript(import.meta.url, 'runGate');
const runAsk = luaScript(import.meta.url, 'runAsk', prelude);
const runRefusals = luaScript(import.meta.url, 'runRefusals');
const chunkAllot = luaScript(import.meta.url, 'chunkAllot');
const runSeal = luaScript(import.meta.url, 'runSeal');
const runOutcomes = luaScript(import.meta.url, 'runOutcomes', prelude);

/** What a worker may do next in a run. `foreign`: the chunk is not part of it, another freezer was quicker. */
export type Gate = 'open' | 'paused' | 'cancelled' | 'foreign';

/** A row of the audience that could not be used; the reason never holds the address. */
export interface InvalidRow {
  line: number;
  reason: string;
}

export interface FrozenAudience {
  chunks: number;
  audience: number;
  duplicates: number;
  invalid: number;
  /** The first of them; more than a report can hold are only counted. */
  invalidRows: InvalidRow[];
  /** Where not everybody is due at once: due time (ms) → who is queued. */
  parts?: ReadonlyMap<number, number>;
  unknownZones?: number;
}

/** The last known numbers of a chunk, and when it is due (ms), unless at once. */
export type ChunkTally = Tally & { dueAt?: number };

/** A run's numbers at the end of a slot of time: seconds long at first, hours at last. */
export interface HistoryPoint {
  /** When the slot begins. */
  at: Date;
  sent: number;
  rejected: number;
  inDoubt: number;
  delivered: number;
  bounced: number;
}

export class UnknownRunError extends UsageError {
  override readonly name = 'UnknownRunError';
  constructor(readonly run: string) {
    super(`There is no run "${run}". \`sendonce status\` lists the runs.`);
  }
}

export interface RunListOptions {
  /** Only its runs. */
  campaign?: string;
  /** Only runs that come after this one in the list: the last one of the page before. */
  before?: string;
}

/** Ids that are read at a time while the runs of one campaign are looked for. */
const IDS_A_ROUND = 1_000;

export class Runs {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #barrier: ClaimBarrier | undefined;

  /** @param barrier for processes that start runs. */
  constructor({ redis, prefix, clock, barrier }: DurableStoreServices) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#clock = clock;
    this.#barrier = barrier;
  }

  /**
   * Creates the run of an occurrence and pins its campaign. `created: false`: it exists, nothing was changed. Listed only
   * after it exists; whoever dies between comes back (the job is redelivered) and lists it then.
   *
   * The campaign's files are read here and pinned with it, in the same script: whatever becomes of them, everybody gets what
   * they were.
   * @throws {UsageError} one of them has changed since the campaign was loaded.
   * @param request kept in the record, so that whoever finds the run there knows whether it is its own.
   * @throws {NotDurableError} it may be forgotten again: not to be relied on before a second try.
   */
  async create(
    snapshot: CampaignSnapshot,
    scheduledAt: Date,
    origin: RunOrigin,
    request?: string,
  ): Promise<{ run: string; created: boolean }> {
    const run = runIdOf(snapshot.id, scheduledAt);
    const keys = this.#keys(run);
    const record = {
      id: run,
      campaign: snapshot.id,
      origin,
      hash: snapshot.hash,
      scheduled_at: scheduledAt.getTime(),
      created_at: this.#clock.now(),
      ...(request !== undefined && { request }),
    };
    const packed = deflateRawSync(JSON.stringify(snapshot));
    const contents = await this.#contentsToPin(run, snapshot);
    const reply = await runCreate(
      this.#redis,
      [keys.record, keys.snapshot, keys.attachments],
      [packed, contents.length, ...contents, ...Object.entries(record).flat()],
    );
    await this.#barrier?.confirm(keys.record, 'id');
    const existing = await this.get(run);
    if (!existing.finishedAt) {
      await this.#redis.zadd(this.#allKey, existing.scheduledAt.getTime(), run);
      await this.#redis.sadd(this.#openKey, run);
      await this.#barrier?.confirmMember(this.#openKey, run);
    }
    return { run, created: reply === 1 };
  }

  /** Hash, content, hash, content… Of a run that exists nothing is asked any more: its files may be gone by now. */
  async #contentsToPin(run: string, { attachments = [], baseDir }: CampaignSnapshot) {
    if (attachments.length === 0 || (await this.#redis.exists(this.#keys(run).record))) return [];
    return [...(await readAttachments(baseDir, attachments))].flat();
  }

  /** @throws {UnknownRunError} */
  async get(run: string): Promise<RunRecord> {
    const record = await this.find(run);
    if (!record) throw new UnknownRunError(run);
    return record;
  }

  async find(run: string): Promise<RunRecord | undefined> {
    return toRunRecord(await this.#redis.hgetall(this.#keys(run).record));
  }

  /**
   * The newest runs first. Reads the records of those that it returns; of the others, at the most, the id.
   * @throws {UnknownRunError} `before` is not on the list (any more).
   */
  async list(limit: number, { campaign, before }: RunListOptions = {}): Promise<RunRecord[]> {
    const found: RunRecord[] = [];
    const round = campaign === undefined ? limit : IDS_A_ROUND;
    let first = before === undefined ? 0 : await this.#rankAfter(before);
    for (;;) {
      const ids = await this.#redis.zrevrange(this.#allKey, first, first + round - 1);
      const wanted = ids.filter((id) => campaign === undefined || parseRunId(id)?.campaign === campaign);
      // The list outlives the records, so that some may be gone: then the next ones take their places.
      for (let next = 0; next < wanted.length && found.length < limit; ) {
        const some = wanted.slice(next, next + limit - found.length);
        const records = await Promise.all(some.map((run) => this.find(run)));
        found.push(...records.filter((record) => record !== undefined));
        next += some.length;
      }
      if (found.length === limit || ids.length < round) return found;
      first += round;
    }
  }

  async #rankAfter(run: string): Promise<number> {
    const rank = await this.#redis.zrevrank(this.#allKey, run);
    if (rank === null) throw new UnknownRunError(run);
    return rank + 1;
  }

  /** Runs that were scheduled in the last so many ms, at most 1,000 of them, the newest first. */
  async scheduledWithin(ms: number): Promise<RunRecord[]> {
    const now = this.#clock.now();
    const ids = await this.#redis.zrevrangebyscore(this.#allKey, now, now - ms, 'LIMIT', 0, 1_000);
    const records = await Promise.all(ids.map((run) => this.find(run)));
    return records.filter((record) => record !== undefined);
  }

  /** How a run's numbers grew, oldest first. Slots in which nothing changed are missing. */
  async history(run: string): Promise<HistoryPoint[]> {
    const slots = await this.#redis.hgetall(this.#keys(run).history);
    return Object.entries(slots)
      .map(([second, packed]) => {
        const [sent = 0, rejected = 0, inDoubt = 0, delivered = 0, bounced = 0] = packed
          .split(' ')
          .map(Number);
        return { at: new Date(Number(second) * 1_000), sent, rejected, inDoubt, delivered, bounced };
      })
      .sort((a, b) => a.at.getTime() - b.at.getTime());
  }

  /** Puts a run among the open ones again: somebody in it is to be tried again. */
  async reopen(run: string): Promise<void> {
    await this.#redis.sadd(this.#openKey, run);
  }

  /** Runs that somebody may still have to work on. */
  async open(): Promise<string[]> {
    return this.#redis.smembers(this.#openKey);
  }

  /**
   * Takes a run off the open ones and gives its record the ledger's time to live.
   * @param attachmentsMs for its files; default: the same. Whoever is put back to queued gets them, so for as long as there
   * are recipients.
   */
  async close(run: string, retentionMs: number, attachmentsMs = retentionMs): Promise<void> {
    const { attachments, ...keys } = this.#keys(run);
    for (const key of Object.values(keys)) await this.#redis.pexpire(key, Math.round(retentionMs));
    await this.#redis.pexpire(attachments, Math.round(Math.min(retentionMs, attachmentsMs)));
    await this.#redis.zremrangebyscore(this.#allKey, 0, this.#clock.now() - retentionMs * 2);
    await this.#redis.srem(this.#openKey, run);
  }

  /** The campaign as it was when the run was created; later edits of its files change nothing. */
  async snapshot(run: string): Promise<CampaignSnapshot> {
    const packed = await this.#redis.getBuffer(this.#keys(run).snapshot);
    if (!packed) throw new UnknownRunError(run);
    return JSON.parse(inflateRawSync(packed).toString('utf8')) as CampaignSnapshot;
  }

  /** What goes along with the mails of a run. @throws {UnknownRunError} their retention is over. */
  async attachments(run: string): Promise<AttachmentContents> {
    const contents = await this.#redis.hgetallBuffer(this.#keys(run).attachments);
    if (Object.keys(contents).length === 0) throw new UnknownRunError(run);
    return new Map(Object.entries(contents));
  }

  /** The audience stands from here on. `behind`: another freezer has added chunks that the caller has not read. */
  async frozen(
    run: string,
    { invalidRows, chunks, parts, unknownZones = 0, ...numbers }: FrozenAudience,
  ): Promise<'frozen' | 'was-frozen' | 'behind'> {
    const keys = this.#keys(run);
    const report = deflateRawSync(JSON.stringify(invalidRows));
    const ofZones = parts ? { parts: encodeParts(parts), unknown_zones: unknownZones } : {};
    const reply = await runFrozen(
      this.#redis,
      [keys.record, keys.invalid, keys.chunks],
      [this.#clock.now(), report, chunks, ...Object.entries({ ...numbers, ...ofZones }).flat()],
    );
    if (reply === -1) throw new UnknownRunError(run);
    if (reply === 2) return 'behind';
    return reply === 1 ? 'frozen' : 'was-frozen';
  }

  /**
   * A chunk's number for single messages, which nobody else has. It is the holder's to create; until then, and for good when
   * the holder dies, it is a gap.
   * @returns undefined: the run takes in no more, it is sealed, cancelled, full or gone.
   */
  async allotChunk(run: string, most: number): Promise<number | undefined> {
    const chunk = Number(await chunkAllot(this.#redis, [this.#keys(run).record], [most]));
    return chunk < 0 ? undefined : chunk;
  }

  /** Ends a run of single messages: no chunk is allotted from here on. May be repeated. */
  async seal(run: string): Promise<void> {
    await runSeal(this.#redis, [this.#keys(run).record], [this.#clock.now()]);
  }

  async invalidRows(run: string): Promise<InvalidRow[]> {
    const packed = await this.#redis.getBuffer(this.#keys(run).invalid);
    return packed ? (JSON.parse(inflateRawSync(packed).toString('utf8')) as InvalidRow[]) : [];
  }

  /**
   * Takes a chunk's numbers into the run's; may come late and twice. Says what may be done next.
   * @param endsRefusals something was accepted, so refusals before it are not "in a row" any more.
   * @param dueAt of the chunk, from whoever has frozen it, ms; 0 changes nothing.
   * @throws {UnknownRunError} its retention is over.
   */
  async tally(run: string, chunk: number, tally: Tally, endsRefusals = false, dueAt = 0): Promise<Gate> {
    const keys = this.#keys(run);
    const numbers = STATE_NAMES.map((state) => tally[state]);
    const reply = await runTally(
      this.#redis,
      [keys.record, keys.chunks, keys.refusals, keys.history],
      [this.#clock.now(), endsRefusals ? 1 : 0, chunk, tally.version, dueAt, ...numbers, ...STATE_NAMES],
    );
    if (reply === -1) throw new UnknownRunError(run);
    return reply as Gate;
  }

  /**
   * What may be done next, when there are no numbers to tell.
   * @param endsRefusals see `tally`.
   * @throws {UnknownRunError} its retention is over.
   */
  async gate(run: string, chunk: number, endsRefusals = false): Promise<Gate> {
    const { record, refusals } = this.#keys(run);
    const reply = await runAsk(this.#redis, [record, refusals], [chunk, endsRefusals ? 1 : 0]);
    if (reply === -1) throw new UnknownRunError(run);
    return reply as Gate;
  }

  /**
   * Takes a chunk's counts of outcomes into the run's; may come late and twice.
   * @throws {UnknownRunError}
   */
  async outcomes(
    run: string,
    chunk: number,
    version: number,
    counts: readonly [MailOutcome, number][],
  ): Promise<void> {
    const keys = this.#keys(run);
    const reply = await runOutcomes(
      this.#redis,
      [keys.record, keys.outcomes, keys.history],
      [chunk, version, ...counts.flat()],
    );
    if (reply === -1) throw new UnknownRunError(run);
  }

  /** Somebody left, or came back, by the link in a mail of the run. Nothing when the run's retention is over. */
  async countUnsubscribed(run: string, change: 1 | -1): Promise<void> {
    const { record } = this.#keys(run);
    if (await this.#redis.exists(record)) await this.#redis.hincrby(record, 'unsubscribed', change);
  }

  /** The last known numbers of each chunk. */
  async chunkTallies(run: string): Promise<Map<number, ChunkTally>> {
    const chunks = await this.#redis.hgetall(this.#keys(run).chunks);
    return new Map(
      Object.entries(chunks).map(([chunk, packed]) => {
        const [version = 0, ...numbers] = packed.split(' ').map(Number);
        const counts = Object.fromEntries(STATE_NAMES.map((state, index) => [state, numbers[index] ?? 0]));
        const dueAt = numbers[STATE_NAMES.length];
        return [Number(chunk), { ...counts, version, ...(dueAt && { dueAt }) } as ChunkTally];
      }),
    );
  }

  /**
   * `no`: the run is finished, cancelled or paused already. `again`: for the same reason as before it was tried again by
   * itself, so nobody has to be told a second time.
   */
  async pause(run: string, { cause, reason, retryAt }: Pause): Promise<'paused' | 'again' | 'no'> {
    const reply = await this.#gate(run, 'pause', [reason, cause, retryAt?.getTime() ?? '']);
    return reply === 2 ? 'again' : reply === 1 ? 'paused' : 'no';
  }

  /** False when the run is not paused. The caller sees to it that its jobs are there. */
  async resume(run: string, by: 'operator' | 'itself'): Promise<boolean> {
    return (await this.#gate(run, 'resume', ['', by])) === 1;
  }

  /** False when the run is finished or cancelled. Who is queued becomes `cancelled`, who is claimed is settled. */
  async cancel(run: string, reason: string): Promise<boolean> {
    return (await this.#gate(run, 'cancel', [reason])) === 1;
  }

  /**
   * Counts refusals for one reason in a row. When there are `threshold` of them, all of the row are returned: the run has to
   * pause, and they are to be put back to queued.
   * @param isFresh something else was answered before these.
   */
  async refusals(
    run: string,
    reason: string,
    members: readonly { chunk: number; position: number }[],
    { isFresh, threshold }: { isFresh: boolean; threshold: number },
  ): Promise<{ chunk: number; position: number }[]> {
    const keys = this.#keys(run);
    const reply = await runRefusals(
      this.#redis,
      [keys.refusals],
      [threshold, isFresh ? 1 : 0, reason, ...members.map(({ chunk, position }) => `${chunk}:${position}`)],
    );
    return (reply as string[]).map((member) => {
      const [chunk, position] = member.split(':').map(Number);
      return { chunk: chunk ?? 0, position: position ?? 0 };
    });
  }

  async #gate(
    run: string,
    action: 'pause' | 'resume' | 'cancel',
    details: (string | number)[],
  ): Promise<number> {
    const args = [action, this.#clock.now(), ...details];
    const reply = Number(await runGate(this.#redis, [this.#keys(run).record], args));
    if (reply === -1) throw new UnknownRunError(run);
    return reply;
  }

  get #allKey(): string {
    return `${this.#prefix}:1:runs`;
  }

  get #openKey(): string {
    return `${this.#prefix}:1:runs:open`;
  }

  #keys(run: string) {
    const base = `${this.#prefix}:1:{${run}}`;
    return {
      record: `${base}:record`,
      snapshot: `${base}:snapshot`,
      attachments: `${base}:attachments`,
      chunks: `${base}:chunks`,
      invalid: `${base}:invalid`,
      refusals: `${base}:refusals`,
      outcomes: `${base}:outcomes`,
      history: `${base}:history`,
    };
  }
}
