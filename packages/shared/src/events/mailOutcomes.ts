/**
 * Counts what became of mails: a byte a recipient in the chunk, counts in the chunk and in the run. Exact, however often and
 * in whatever order events come, and after a crash between the two: an event that was not taken in comes again, and brings
 * the run up to date, though it is no news to the chunk any more.
 */
import { type ChunkRef, chunkKeys } from '../ledger/index.js';
import { MAIL_OUTCOME_NAMES, MAIL_OUTCOMES, type MailOutcome, outcomesIn, type Runs } from '../run/index.js';
import { luaScript, type RedisConnection } from '../runtime/index.js';

const outcomeMark = luaScript(import.meta.url, 'outcomeMark');

export class MailOutcomes {
  readonly #redis: RedisConnection;
  readonly #runs: Runs;
  readonly #prefix: string;

  constructor({ redis, runs }: { redis: RedisConnection; runs: Runs }, { prefix }: { prefix: string }) {
    this.#redis = redis;
    this.#runs = runs;
    this.#prefix = prefix;
  }

  /**
   * @returns whether each is news.
   * @throws {UnknownRunError} the run's retention is over.
   */
  async mark(
    ref: ChunkRef,
    marks: readonly { position: number; outcome: MailOutcome }[],
  ): Promise<boolean[]> {
    const { states, outcomes, outcomeCounts } = chunkKeys(this.#prefix, ref);
    const reply = (await outcomeMark(
      this.#redis,
      [states, outcomes, outcomeCounts],
      marks.flatMap(({ position, outcome }) => [position, MAIL_OUTCOMES[outcome], outcome]),
    )) as [number[], ...string[]] | [];
    const [isNew, ...pairs] = reply;
    if (isNew === undefined) return marks.map(() => false);
    const counts = new Map<string, number>();
    for (let i = 0; i < pairs.length; i += 2) counts.set(String(pairs[i]), Number(pairs[i + 1]));
    await this.#runs.outcomes(
      ref.run,
      ref.chunk,
      counts.get('version') ?? 0,
      MAIL_OUTCOME_NAMES.map((name) => [name, counts.get(name) ?? 0]),
    );
    return isNew.map((flag) => flag === 1);
  }

  /** By position; nothing for those of whom no event has told. */
  async ofChunk(ref: ChunkRef): Promise<Map<number, MailOutcome[]>> {
    const bytes = await this.#redis.getBuffer(chunkKeys(this.#prefix, ref).outcomes);
    return new Map([...(bytes ?? [])].map((byte, position) => [position, outcomesIn(byte)]));
  }
}
