/**
 * A chunk's numbers on their way to its run, and the question what may be done next on its way back. People look at numbers a
 * few times a second and pause a run with a click, so with a fast account neither goes with every micro-batch.
 */
import type { ChunkRef, Tally } from '@sendonce/shared/ledger';
import type { Gate, Runs } from '@sendonce/shared/run';
import type { Clock } from '@sendonce/shared/runtime';
import type { RefusalRow } from './refusals.js';

/** Numbers are told so often at the most, ms. */
const TELL_EVERY_MS = 250;
/** A run that was paused or cancelled is sent on for so long at the most, ms, and until the micro-batch has ended. */
const ASK_EVERY_MS = 20;

export class ChunkReports {
  readonly #clock: Clock;
  readonly #runs: Runs;
  readonly #ref: ChunkRef;
  readonly #onProgress: (tally: Tally) => Promise<void>;
  #tellAt: number;
  #askAt: number;
  /** Nobody is left to be claimed, so the end of the chunk is near: then its numbers are told. */
  #isLast = false;
  /** Refusals have been counted, which the next accepted mail ends. */
  #hasRow = false;
  #untold: Tally | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param onProgress called when the run is told of settled recipients, for Bull Board's progress bar. */
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
    this.#tellAt = clock.now() + TELL_EVERY_MS;
  }

  /** Recipients were claimed. Others see it in a moment, also when SES takes its time; nobody waits for that. */
  claimed(tally: Tally): void {
    this.#untold = tally;
    this.#isLast = tally.queued === 0;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#tellLast();
    }, this.#tellAt - this.#clock.now());
  }

  /**
   * Asks what may be done next while a micro-batch is being settled, unless it is time to tell the numbers: that answers it
   * as well.
   * @param isPaused the answers ask for a pause, so it is asked in any case.
   * @returns to be called with the numbers after it.
   */
  settling(row: RefusalRow, isPaused: boolean): (tally: Tally) => Promise<Gate> {
    const asked = this.#isTimeToTell || this.#isLast ? undefined : this.#ask(row, isPaused);
    asked?.catch(() => undefined);
    return async (tally) => {
      this.#untold = tally;
      const isOver = tally.queued + tally.claimed === 0;
      if (!isOver && asked) return asked;
      if (!isOver && !this.#isTimeToTell) return this.#ask(row, isPaused);
      const [gate] = await Promise.all([this.#tell(tally, row.isEndedByAccept), this.#onProgress(tally)]);
      return gate;
    };
  }

  /** What has not been told, at the end. What fails here the reconciler makes good. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#tellLast();
  }

  async #tellLast(): Promise<void> {
    if (this.#untold) await this.#tell(this.#untold, false).catch(() => undefined);
  }

  get #isTimeToTell(): boolean {
    return this.#clock.now() >= this.#tellAt;
  }

  async #ask({ hasRefusals, isEndedByAccept }: RefusalRow, isPaused: boolean): Promise<Gate> {
    const now = this.#clock.now();
    const isDue = now >= this.#askAt || isPaused || hasRefusals || this.#hasRow;
    if (!isDue) return 'open';
    this.#askAt = now + ASK_EVERY_MS;
    this.#hasRow = hasRefusals && !isEndedByAccept;
    return this.#runs.gate(this.#ref.run, this.#ref.chunk, isEndedByAccept);
  }

  async #tell(tally: Tally, endsRefusals: boolean): Promise<Gate> {
    const { run, chunk } = this.#ref;
    this.#untold = undefined;
    this.#tellAt = this.#clock.now() + TELL_EVERY_MS;
    return this.#runs.tally(run, chunk, tally, endsRefusals);
  }
}
