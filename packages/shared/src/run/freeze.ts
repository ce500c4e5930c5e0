/**
 * Freezing: an audience becomes chunks, each recipient once.
 *
 * A chunk is created once and never changes its recipients, so whatever a dead freezer left behind stands: the next one
 * reads it, and adds only addresses that are in no chunk yet, even when the source returns other rows in another order by
 * then. Two freezers at the same time compete for chunk numbers; who loses reads the winner's chunk and goes on. Nothing is
 * sent before the whole audience stands.
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
import type { InvalidRow, Runs } from './runs.js';

/** A report holds this many bad rows; the rest is only counted. */
const INVALID_ROWS_KEPT = 10_000;

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
    await freeze(services, run, signal).catch((error: unknown) => {
      if (!(error instanceof FreezeOvertakenError)) throw error;
    });
  }
  return (await services.runs.get(run)).chunks;
}

async function freeze(services: FreezeServices, run: string, signal?: AbortSignal): Promise<void> {
  const { runs } = services;
  const snapshot = await runs.snapshot(run);
  const freezer = new Freezer(services, run, snapshot.id);
  await freezer.readExistingChunks();
  const source = openAudience(snapshot.definition.audience, snapshot.baseDir);
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
  #waiting: Recipient[] = [];
  #chunks = 0;
  #recipients = 0;
  #duplicates = 0;
  #invalid = 0;

  constructor(
    private readonly services: FreezeServices,
    private readonly run: string,
    private readonly campaign: string,
  ) {}

  /**
   * Reads on from the first chunk number that is not known yet, and counts what it finds. Whom other freezers have put into
   * chunks since they were taken from the source wait no longer: they would be in the run twice.
   */
  async readExistingChunks(): Promise<void> {
    const known = this.#chunks;
    while (await this.#readChunk()) {}
    if (this.#chunks > known)
      this.#waiting = this.#waiting.filter(({ address }) => !this.#frozen.has(addressKey(address)));
  }

  /** Reads the next chunk. @returns false when there is none. */
  async #readChunk(): Promise<boolean> {
    const { ledger } = this.services;
    const ref = { run: this.run, chunk: this.#chunks };
    const states = await ledger.states(ref);
    if (!states) return false;
    try {
      for (const { address } of await ledger.recipients(ref)) this.#frozen.add(addressKey(address));
      await this.#countChunk(states.length);
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
    if (this.#frozen.has(key)) return;
    this.#waiting.push({ address, fields });
    if (this.#waiting.length === CHUNK_SIZE) await this.#writeChunk();
  }

  async finish() {
    while (this.#waiting.length > 0) await this.#writeChunk();
    return {
      chunks: this.#chunks,
      audience: this.#recipients + this.#duplicates + this.#invalid,
      duplicates: this.#duplicates,
      invalid: this.#invalid,
      invalidRows: this.#invalidRows,
    };
  }

  /** @throws {NotDurableError} */
  async confirm(): Promise<void> {
    const { ledger } = this.services;
    const chunks = Array.from({ length: this.#chunks }, (_, chunk) => ({ run: this.run, chunk }));
    await Promise.all(chunks.map((ref) => ledger.confirm(ref, 1)));
  }

  async #writeChunk(): Promise<void> {
    const recipients = this.#waiting;
    const ref = { run: this.run, chunk: this.#chunks };
    // The compressing, which takes longer than Redis does, goes on while the list is asked.
    const looking = this.#suppressedAmong(recipients);
    const packed = encodeRecipients(recipients);
    const { states, entries } = await looking;
    if (await this.services.ledger.createChunk(ref, packed, states, entries)) {
      this.#waiting = [];
      await this.#countChunk(recipients.length);
      return;
    }
    // Another freezer was quicker: its chunks stand.
    await this.readExistingChunks();
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

  async #countChunk(size: number): Promise<void> {
    const { ledger, runs } = this.services;
    const ref = { run: this.run, chunk: this.#chunks };
    const gate = await runs.tally(this.run, this.#chunks, await ledger.tally(ref));
    if (gate === 'foreign') await ledger.drop(ref);
    if (gate === 'foreign' || gate === 'cancelled')
      throw new FreezeOvertakenError(`${this.run} is ${gate === 'foreign' ? 'frozen' : gate}`);
    this.#chunks += 1;
    this.#recipients += size;
  }
}

function assertUsable(
  snapshot: CampaignSnapshot,
  frozen: { chunks: number; audience: number; invalid: number },
): void {
  if (frozen.chunks === 0) throw new AudienceError(`The audience of ${snapshot.id} has no usable recipient.`);
  const limit = snapshot.definition.max_invalid;
  const share = frozen.invalid / frozen.audience;
  if (share > limit) {
    const percent = (value: number) => `${(value * 100).toFixed(1)}%`;
    throw new AudienceError(
      `${frozen.invalid} of ${frozen.audience} rows are invalid (${percent(share)}, and max_invalid is ${percent(limit)}).`,
    );
  }
}
