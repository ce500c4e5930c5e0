/** Why recipients were rejected or are in doubt, grouped: what an operator has to repair. */
import type { LedgerEvent } from '../ledger/index.js';
import type { ControlServices } from './runControl.js';

/** Chunks that are looked into; the reasons of the others are most likely the same. */
const CHUNKS_READ = 40;
const STATE_OF: Partial<Record<LedgerEvent, 'rejected' | 'in_doubt'>> = {
  reject: 'rejected',
  doubt: 'in_doubt',
};

interface FailureReason {
  state: 'rejected' | 'in_doubt';
  reason: string;
  count: number;
}

export interface FailureReasons {
  /** The most frequent first. */
  reasons: FailureReason[];
  /** False: only a part of the run was looked into. */
  isWhole: boolean;
}

/** @throws {UnknownRunError} */
export async function failureReasons(
  { ledger, runs }: Pick<ControlServices, 'ledger' | 'runs'>,
  run: string,
): Promise<FailureReasons> {
  await runs.get(run);
  const failed = [...(await runs.chunkTallies(run))]
    .filter(([, { rejected, in_doubt }]) => rejected + in_doubt > 0)
    .map(([chunk]) => chunk);
  const counts = new Map<string, FailureReason>();
  for (const chunk of failed.slice(0, CHUNKS_READ)) {
    const ref = { run, chunk };
    const [states = [], journal] = await Promise.all([ledger.states(ref), ledger.journal(ref)]);
    // The last word on each; who was tried again and sent is no failure any more.
    const last = new Map(journal.map((entry) => [entry.position, entry]));
    for (const [position, { event, detail }] of last) {
      const state = STATE_OF[event];
      if (!state || states[position] !== state) continue;
      const known = counts.get(`${state} ${detail}`) ?? { state, reason: detail, count: 0 };
      counts.set(`${state} ${detail}`, { ...known, count: known.count + 1 });
    }
  }
  return {
    reasons: [...counts.values()].sort((a, b) => b.count - a.count),
    isWhole: failed.length <= CHUNKS_READ,
  };
}
