/**
 * Tries those again whom SES or a template refused, after a repair. May be repeated: whoever dies in the middle leaves an
 * open run with queued recipients, which the reconciler takes up.
 */
import { ensureChunkJobs } from '../queue/index.js';
import type { ControlServices } from './runControl.js';

/**
 * How many go back to queued; 0 also when the run is cancelled, or their merge data are not kept any more.
 * @param reason for the journal, without addresses.
 * @throws {UnknownRunError}
 */
export async function retryRejected(
  { ledger, queues, runs }: ControlServices,
  run: string,
  { reason, at }: { reason: string; at: number },
): Promise<number> {
  const record = await runs.get(run);
  if (record.status === 'cancelled') return 0;
  // First, so that somebody looks after the run if we die.
  await runs.reopen(run);
  const waiting: number[] = [];
  let retried = 0;
  for (const [chunk, { rejected }] of await runs.chunkTallies(run)) {
    if (rejected === 0) continue;
    const ref = { run, chunk };
    const states = (await ledger.states(ref)) ?? [];
    const positions = states.flatMap((state, position) => (state === 'rejected' ? [position] : []));
    const moved = await ledger.move(ref, 'retry', positions, { at, detail: reason });
    await runs.tally(run, chunk, moved.tally);
    retried += moved.positions.length;
    waiting.push(chunk);
  }
  if (record.status !== 'paused') await ensureChunkJobs(queues, record, waiting);
  return retried;
}
