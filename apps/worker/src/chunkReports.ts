/**
 * A chunk's numbers on their way to its run. People look at them a few times a second, so with a fast account they are not
 * told after every micro-batch; what a worker may do next is asked for each time.
 */
import type { ChunkRef, Tally } from '@sendonce/shared/ledger';
import type { Gate, Runs } from '@sendonce/shared/run';
import type { Clock } from '@sendonce/shared/runtime';

/** Numbers are told so often at the most, ms. */
const TELL_EVERY_MS = 250;

export class ChunkReports {
  readonly #clock: Clock;
  readonly #runs: Runs;
  readonly #ref: ChunkRef;
  readonly #onProgress: (tally: Tally) => Promise<void>;
  #tellAt = 0;
  #untold: Tally | undefined;

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
  }

  /** Recipients were claimed. That others see it is worth a command now and then; that somebody waits for it is not. */
  claimed(tally: Tally): void {
    this.#untold = tally;
    if (this.#isTime()) void this.#tell(tally, false).catch(() => undefined);
  }

  /**
   * Asks what may be done next while a micro-batch is being settled, unless it is time to tell the numbers: that answers it
   * as well.
   * @param endsRefusals see `Runs.tally`.
   * @returns to be called with the numbers after it.
   */
  settling(endsRefusals: boolean): (tally: Tally) => Promise<Gate> {
    const asked = this.#isTime() ? undefined : this.#runs.gate(this.#ref.run, endsRefusals);
    asked?.catch(() => undefined);
    return async (tally) => {
      this.#untold = tally;
      if (asked && tally.queued > 0) return asked;
      await this.#onProgress(tally);
      return this.#tell(tally, endsRefusals);
    };
  }

  /** What has not been told, at the end. What fails here the reconciler makes good. */
  async flush(): Promise<void> {
    if (this.#untold) await this.#tell(this.#untold, false).catch(() => undefined);
  }

  #isTime(): boolean {
    return this.#clock.now() >= this.#tellAt;
  }

  async #tell(tally: Tally, endsRefusals: boolean): Promise<Gate> {
    const { run, chunk } = this.#ref;
    this.#untold = undefined;
    this.#tellAt = this.#clock.now() + TELL_EVERY_MS;
    return this.#runs.tally(run, chunk, tally, endsRefusals);
  }
}
