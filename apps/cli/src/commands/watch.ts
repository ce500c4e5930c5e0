/** Follows a run on one line until nothing more will happen by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunRecord, Runs } from '@sendonce/shared/run';
import { LiveLine, printNumbers, progressLine } from '../output.js';

const LOOK_EVERY_MS = 250;

/** @returns the record when the run is finished, cancelled, paused, or waits for an operator. Exit status 1 unless finished. */
export async function watchRun(runs: Runs, run: string): Promise<RunRecord> {
  const line = new LiveLine();
  let before: { sent: number; at: number } | undefined;
  let rate = 0;
  for (;;) {
    const record = await runs.get(run);
    const { sent } = record.numbers;
    const at = Date.now();
    if (before && at > before.at)
      rate = rate * 0.8 + (((sent - before.sent) * 1_000) / (at - before.at)) * 0.2;
    before = { sent, at };
    line.update(progressLine(record, rate));
    if (record.status === 'finished' || record.status === 'cancelled' || record.status === 'paused') {
      line.end();
      printNumbers(record);
      if (record.status !== 'finished') process.exitCode = 1;
      return record;
    }
    await sleep(LOOK_EVERY_MS);
  }
}
