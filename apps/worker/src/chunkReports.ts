/**
 * A chunk's numbers on their way to its run, and the question what may be done next on its way back. People look at numbers a
 * few times a second and pause a run with a click, so with a fast account neither goes with every micro-batch.
 */
import type { ChunkRef, Tally } from '@sendonce/shared/ledger';
import type { Gate, Runs } from '@sendonce/shared/run';
import type { Clock } from '@sendonce/shared/runtime';
import type { RefusalRow } from './refusals.js';

/** Numbers are told so often at the most, ms, and at the end. */
const TELL_EVERY_MS = 250;
/** A run that was paused or cancelled is sent on for so long at the most, ms, and until the micro-batch has ended. */
const ASK_EVERY_MS = 20;

export class ChunkReports {
  readonly #clock: Clock;
  readonly #runs: Runs;
  readonly #ref: ChunkRef;
  readonly #onProgress: (tally: Tally) => Promise<void>;
  #askAt: number;
  /** Nobody is left to be claimed, so the end of the chunk is near. */
  #isLast = false;
  /** Refusals have been counted, which the next accepted mail ends. */
  #hasRow = false;
  #untold: Tally | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param onProgress called when the run is told, for Bull Board's progress bar. */
  constructor(
    { clock, runs }: { clock: Clock; runs: Runs },
    ref: ChunkRef,
    onProgress: (tally: Tally) => Promise<void>,
  ) {
    this.#clock = clock;
    this.#runs = runs;
    this.#ref = ref;
    this.#onProgress = onProgress;
    // Just now it was asked whether the chunk may begin.
    this.#askAt = clock.now() + ASK_EVERY_MS;
  }

  /** Recipients were claimed. Others see it in a moment, also when SES takes its time; nobody waits for that. */
  claimed(tally: Tally): void {
    this.#isLast = tally.queued === 0;
    this.#tellSoon(tally);
  }

  /**
   * Asks what may be done next while a micro-batch is being settled, unless the chunk ends with it: then its numbers are told,
   * and that answers it as well.
   * @param isPaused the answers ask for a pause, so it is asked in any case.
   * @returns to be called with the numbers after it.
   */
  settling(row: RefusalRow, isPaused: boolean): (tally: Tally) => Promise<Gate> {
    const asked = this.#isLast ? undefined : this.#ask(row, isPaused);
    asked?.catch(() => undefined);
    return async (tally) => {
      if (tally.queued + tally.claimed === 0) return this.#tell(tally, row.isEndedByAccept);
      this.#tellSoon(tally);
      return asked ?? this.#ask(row, isPaused);
    };
  }

  /** What has not been told, at the end. What fails here the reconciler makes good. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#untold) await this.#tell(this.#untold, false).catch(() => undefined);
  }

  #tellSoon(tally: Tally): void {
    this.#untold = tally;
    this.#timer ??= setTimeout(() => void this.flush(), TELL_EVERY_MS);
  }

  async #ask({ hasRefusals, isEndedByAccept }: RefusalRow, isPaused: boolean): Promise<Gate> {
    const now = this.#clock.now();
    const hasRow = hasRefusals || this.#hasRow;
    this.#hasRow = hasRow && !isEndedByAccept;
    if (now < this.#askAt && !isPaused && !hasRow) return 'open';
    this.#askAt = now + ASK_EVERY_MS;
    return this.#runs.gate(this.#ref.run, this.#ref.chunk, isEndedByAccept);
  }

  async #tell(tally: Tally, endsRefusals: boolean): Promise<Gate> {
    const { run, chunk } = this.#ref;
    this.#untold = undefined;
    const [gate] = await Promise.all([
      this.#runs.tally(run, chunk, tally, endsRefusals),
      this.#onProgress(tally),
    ]);
    return gate;
  }
}
