/**
 * When it is the campaign or the account that is wrong, every recipient gets the same refusal. A run whose first 20 answers
 * are one refusal, or 20 in a row later, pauses, and these recipients go back to queued: a mistake must not use up a run.
 */
import type { ChunkRef, Ledger, Settlement } from '@sendonce/shared/ledger';
import type { Runs } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import type { SesAccount } from '@sendonce/shared/ses';
import { pauseRun } from './pauses.js';

const REFUSALS_IN_A_ROW = 20;

export interface RefusalServices {
  account: SesAccount;
  clock: Clock;
  ledger: Ledger;
  logger: Logger;
  runs: Runs;
}

/** The refusals for one reason at the end of a micro-batch. */
export class RefusalRow {
  readonly #ref: ChunkRef;
  readonly #settlements: Settlement[];
  readonly #row: Settlement[];
  readonly #answered: Settlement[];

  /** @param pausedFor the refusal for which the run was paused while these were under way: they go back to queued as well. */
  constructor(ref: ChunkRef, answers: Settlement[], pausedFor?: string) {
    const settlements = answers.map((answer): Settlement => {
      const isSame = answer.event === 'reject' && answer.detail === pausedFor;
      return isSame ? { ...answer, event: 'release' } : answer;
    });
    this.#ref = ref;
    this.#settlements = settlements;
    this.#answered = settlements.filter(({ event }) => event === 'accept' || event === 'reject');
    const last = this.#answered.at(-1);
    const before = this.#answered.findLastIndex(
      ({ event, detail }) => event !== 'reject' || detail !== last?.detail,
    );
    this.#row = this.#answered.slice(before + 1);
  }

  /** Something was accepted after the last refusal, so refusals before it are not in a row any more. */
  get isEndedByAccept(): boolean {
    return this.#answered.at(-1)?.event === 'accept';
  }

  get hasRefusals(): boolean {
    return this.#answered.some(({ event }) => event === 'reject');
  }

  /**
   * Counts the row, over micro-batches and workers. When it is long enough the run is paused; the refusals of this batch
   * come back as releases, and those that were settled before are put back to queued.
   * @returns what is to be settled, and the refusal for which the run is paused.
   */
  async pauseIfTooLong(
    { account, clock, ledger, logger, runs }: RefusalServices,
    recipientsOfRun: number,
  ): Promise<{ settled: Settlement[]; pausedFor?: string }> {
    const [first] = this.#row;
    if (!first) return { settled: this.#settlements };
    const { run, chunk } = this.#ref;
    const reason = `Every recipient is refused: ${first.detail}`;
    const row = await runs.refusals(
      run,
      reason,
      this.#row.map(({ position }) => ({ chunk, position })),
      {
        isFresh: this.#row.length < this.#answered.length,
        threshold: Math.min(REFUSALS_IN_A_ROW, recipientsOfRun),
      },
    );
    if (row.length === 0) return { settled: this.#settlements };
    const cause = causeOf(first.detail);
    const retryAt = new Date(clock.now() + account.refreshMs);
    await pauseRun({ logger, runs }, run, { cause, reason, ...(cause === 'account' && { retryAt }) });
    const own = new Set(this.#row.map(({ position }) => position));
    const earlier = row.filter((member) => member.chunk !== chunk || !own.has(member.position));
    for (const [other, positions] of byChunk(earlier)) {
      const ref = { run, chunk: other };
      const { tally } = await ledger.move(ref, 'retry', positions, { at: clock.now(), detail: reason });
      await runs.tally(run, other, tally);
    }
    const settled = this.#settlements.map(
      (settlement): Settlement =>
        own.has(settlement.position) ? { ...settlement, event: 'release' } : settlement,
    );
    return { settled, pausedFor: first.detail };
  }
}

/** An identity that is not verified (yet) is the account's business, and mends itself when DNS has it. */
function causeOf(reason: string): 'account' | 'campaign' {
  return /not verified/i.test(reason) ? 'account' : 'campaign';
}

function byChunk(members: readonly { chunk: number; position: number }[]): Map<number, number[]> {
  const chunks = new Map<number, number[]>();
  for (const { chunk, position } of members) chunks.set(chunk, [...(chunks.get(chunk) ?? []), position]);
  return chunks;
}
