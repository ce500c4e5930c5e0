/** Who is in doubt in a run, for operators: they see addresses, because they have to find out whether the mail went out. */
import type { ControlServices } from './runControl.js';

export interface OpenDoubt {
  address: string;
  chunk: number;
  position: number;
  claimedAt: Date;
  /** What SES's answer, or its silence, was; empty: the worker died. */
  reason: string;
}

/**
 * Chunk by chunk, so that a large run does not have to fit into memory.
 * @throws {UnknownRunError}
 */
export async function* openDoubts(
  { ledger, runs }: Pick<ControlServices, 'ledger' | 'runs'>,
  run: string,
): AsyncGenerator<OpenDoubt> {
  await runs.get(run);
  for (const [chunk, { in_doubt }] of await runs.chunkTallies(run)) {
    if (in_doubt === 0) continue;
    const ref = { run, chunk };
    const recipients = await ledger.recipients(ref);
    const reasons = new Map<number, string>();
    for (const { position, event, detail } of await ledger.journal(ref))
      if (event === 'doubt') reasons.set(position, detail);
    for (const { position, claimedAt } of await ledger.doubts(ref))
      yield {
        address: recipients[position]?.address ?? '',
        chunk,
        position,
        claimedAt: new Date(claimedAt),
        reason: reasons.get(position) ?? '',
      };
  }
}
