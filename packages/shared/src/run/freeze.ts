/**
 * Freezing: an audience becomes chunks, each recipient once.
 *
 * A chunk is created once and never changes its recipients, so whatever a dead freezer left behind stands: the next one
 * reads it, and adds only addresses that are in no chunk yet, even when the source returns other rows in another order by
 * then. Two freezers at the same time compete for chunk numbers; who loses reads the winner's chunk and goes on. Nothing is
 * sent before the whole audience stands.
 *
 * A chunk holds recipients who are due at one time: where their own time zones say when, everybody waits for the others of
 * the same time. The time is the chunk's from then on, whatever the source says later.
 *
 * Who is on the suppression list by then is in a chunk as well, as `suppressed`: so the numbers add up, and the export of
 * the run says why somebody got nothing.
 */
import { AddressSet, type AudienceRow, addressKey, openAudience } from '../audience/index.js';
import type { CampaignSnapshot } from '../campaign/index.js';
import {
  CHUNK_SIZE,
  encodeRecipients,
  type Ledger,
  type Recipient,
  UnknownChunkError,
} from '../ledger/index.js';
import { usedFields } from '../message/index.js';
import type { Clock } from '../runtime/index.js';
import type { SuppressionList } from '../suppression/index.js';
import { DueTimes } from './dueTimes.js';
import type { RunRecord } from './runRecord.js';
import type { InvalidRow, Runs } from './runs.js';

/** A report holds this many bad rows; the rest is only counted. */
const INVALID_ROWS_KEPT = 10_000;
/** Why somebody is suppressed whose time was over before the run was there. */
const MISSED = 'its time had passed in the recipient’s zone, and catch_up is skip';

export class AudienceError extends Error {
  override readonly name = 'AudienceError';
}

/** The run was frozen by another freezer, or cancelled, while this one was at it. */
class FreezeOvertakenError extends Error {
  override readonly name = 'FreezeOvertakenError';
}

export interface FreezeServices {
  runs: Runs;
  ledger: Ledger;
  suppressions: SuppressionList;
  clock: Clock;
}

/**
 * Freezes a run; does nothing when it is frozen.
 * @returns the number of chunks.
 * @throws {AudienceError} when the audience is unusable: empty, or with too many bad rows. Nobody is sent anything.
 */
export async function freezeRun(
  services: FreezeServices,
  run: string,
  signal?: AbortSignal,
): Promise<number> {
  const record = await services.runs.get(run);
  if (!record.frozenAt && !record.cancelledAt) {
    await freeze(services, record, signal).catch((error: unknown) => {
      if (!(error instanceof FreezeOvertakenError)) throw error;
    });
  }
  return (await services.runs.get(run)).chunks;
}

async function freeze(services: FreezeServices, record: RunRecord, signal?: AbortSignal): Promise<void> {
  const { runs } = services;
  const { id: run, scheduledAt } = record;
  const snapshot = await runs.snapshot(run);
  const freezer = new Freezer(services, run, snapshot.id, DueTimes.of(snapshot, record));
  await freezer.readExistingChunks();
  const { id: campaign, baseDir, definition } = snapshot;
  const source = openAudience(definition.audience, { baseDir, occasion: { campaign, run, scheduledAt } });
  for await (const row of source.rows({
    requiredFields: usedFields(snapshot).map(({ name }) => name),
    ...(signal && { signal }),
  })) {
    await freezer.take(row);
  }
  for (let verdict = 'behind'; verdict === 'behind'; ) {
    await freezer.readExistingChunks();
    const frozen = await freezer.finish();
    assertUsable(snapshot, frozen);
    // A run is on one node of a cluster and its chunks are on others: none of them may be forgotten when the run says that it has them.
    await freezer.confirm();
    verdict = await runs.frozen(run, frozen);
  }
}

class Freezer {
  /** In a chunk already, from an earlier freezer or a competing one. */
  readonly #frozen = new AddressSet();
  /** Met in this pass over the source. */
  readonly #seen = new AddressSet();
  readonly #invalidRows: InvalidRow[] = [];
  /** By the time when they are due, ms (0: at once): some 40 of them at the most, since that many zones differ. */
  readonly #waiting = new Map<number, Recipient[]>();
  /** Who is queued, by the same. */
  readonly #parts = new Map<number, number>();
  #chunks = 0;
  #recipients = 0;
  #duplicates = 0;
  #invalid = 0;

  constructor(
    private readonly services: FreezeServices,
    private readonly run: string,
    private readonly campaign: string,
    private readonly dueTimes: DueTimes | undefined,
  ) {}

  /**
   * Reads on from the first chunk number that is not known yet, and counts what it finds. Whom other freezers have put into
   * chunks since they were taken from the source wait no longer: they would be in the run twice.
   */
  async readExistingChunks(): Promise<void> {
    const known = this.#chunks;
    while (await this.#readChunk()) {}
    if (this.#chunks === known) return;
    for (const [dueAt, waiting] of this.#waiting)
      this.#waiting.set(
        dueAt,
        waiting.filter(({ address }) => !this.#frozen.has(addressKey(address))),
      );
  }

  /** Reads the next chunk. @returns false when there is none. */
  async #readChunk(): Promise<boolean> {
    const { ledger } = this.services;
    const ref = { run: this.run, chunk: this.#chunks };
    const states = await ledger.states(ref);
    if (!states) return false;
    try {
      const { recipients, dueAt } = await ledger.content(ref);
      for (const { address } of recipients) this.#frozen.add(addressKey(address));
      await this.#countChunk(states.length, dueAt);
    } catch (error) {
      // Its freezer has dropped it between two of our questions: the run was frozen without it.
      if (error instanceof UnknownChunkError) throw new FreezeOvertakenError(error.message, { cause: error });
      throw error;
    }
    return true;
  }

  async take(row: AudienceRow): Promise<void> {
    if ('invalid' in row) {
      this.#invalid += 1;
      if (this.#invalidRows.length < INVALID_ROWS_KEPT)
        this.#invalidRows.push({ line: row.line, reason: row.invalid });
      return;
    }
    const { address, key, fields } = row.recipient;
    if (!this.#seen.add(key)) {
      this.#duplicates += 1;
      return;
    }
    const dueAt = this.dueTimes?.dueAt(fields) ?? 0;
    if (this.#frozen.has(key)) return;
    const waiting = this.#waiting.get(dueAt);
    if (waiting) waiting.push({ address, fields });
    else this.#waiting.set(dueAt, [{ address, fields }]);
    // Again where another freezer has made a chunk of others meanwhile.
    while (this.#waitingFor(dueAt).length >= CHUNK_SIZE) await this.#writeChunk(dueAt);
  }

  #waitingFor(dueAt: number): Recipient[] {
    return this.#waiting.get(dueAt) ?? [];
  }

  async finish() {
    for (const dueAt of [...this.#waiting.keys()].sort((a, b) => a - b))
      while (this.#waitingFor(dueAt).length > 0) await this.#writeChunk(dueAt);
    return {
      chunks: this.#chunks,
      audience: this.#recipients + this.#duplicates + this.#invalid,
      duplicates: this.#duplicates,
      invalid: this.#invalid,
      invalidRows: this.#invalidRows,
      ...(this.dueTimes && { parts: this.#parts, unknownZones: this.dueTimes.unknownZones }),
    };
  }

  /** @throws {NotDurableError} */
  async confirm(): Promise<void> {
    const { ledger } = this.services;
    const chunks = Array.from({ length: this.#chunks }, (_, chunk) => ({ run: this.run, chunk }));
    await Promise.all(chunks.map((ref) => ledger.confirm(ref, 1)));
  }

  async #writeChunk(dueAt: number): Promise<void> {
    const recipients = this.#waitingFor(dueAt).slice(0, CHUNK_SIZE);
    const ref = { run: this.run, chunk: this.#chunks };
    // The compressing, which takes longer than Redis does, goes on while the list is asked.
    const looking = this.dueTimes?.isMissed(dueAt)
      ? this.#allMissed(recipients)
      : this.#suppressedAmong(recipients);
    const packed = encodeRecipients(recipients, dueAt);
    const { states, entries } = await looking;
    if (await this.services.ledger.createChunk(ref, packed, states, entries)) {
      this.#waiting.set(dueAt, this.#waitingFor(dueAt).slice(recipients.length));
      await this.#countChunk(recipients.length, dueAt);
      return;
    }
    // Another freezer was quicker: its chunks stand.
    await this.readExistingChunks();
  }

  #allMissed(recipients: readonly Recipient[]) {
    const at = this.services.clock.now();
    return {
      states: recipients.map(() => 'suppressed' as const),
      entries: recipients.map((_, position) => ({
        position,
        event: 'suppress' as const,
        at,
        detail: MISSED,
      })),
    };
  }

  async #suppressedAmong(recipients: readonly Recipient[]) {
    const { clock, suppressions } = this.services;
    const keys = recipients.map(({ address }) => addressKey(address));
    const found = await suppressions.findMany(keys, this.campaign);
    const states = recipients.map((_, position) =>
      found.has(position) ? ('suppressed' as const) : ('queued' as const),
    );
    const at = clock.now();
    const entries = [...found].map(([position, { reason }]) => ({
      position,
      event: 'suppress' as const,
      at,
      detail: reason,
    }));
    return { states, entries };
  }

  async #countChunk(size: number, dueAt: number): Promise<void> {
    const { ledger, runs } = this.services;
    const ref = { run: this.run, chunk: this.#chunks };
    const tally = await ledger.tally(ref);
    const gate = await runs.tally(this.run, this.#chunks, tally, false, dueAt);
    if (gate === 'foreign') await ledger.drop(ref);
    if (gate === 'foreign' || gate === 'cancelled')
      throw new FreezeOvertakenError(`${this.run} is ${gate === 'foreign' ? 'frozen' : gate}`);
    this.#chunks += 1;
    this.#recipients += size;
    this.#parts.set(dueAt, (this.#parts.get(dueAt) ?? 0) + tally.queued);
  }
}

function assertUsable(
  snapshot: CampaignSnapshot,
  frozen: { chunks: number; audience: number; invalid: number; invalidRows: readonly InvalidRow[] },
): void {
  const [first] = frozen.invalidRows;
  const example = first ? ` The first of them, row ${first.line}: ${first.reason}.` : '';
  if (frozen.chunks === 0)
    throw new AudienceError(`The audience of ${snapshot.id} has no usable recipient.${example}`);
  const limit = snapshot.definition.max_invalid;
  const share = frozen.invalid / frozen.audience;
  if (share > limit) {
    const percent = (value: number) => `${(value * 100).toFixed(1)}%`;
    throw new AudienceError(
      `${frozen.invalid} of ${frozen.audience} rows are invalid (${percent(share)}, and max_invalid is ${percent(limit)}).${example}`,
    );
  }
}
