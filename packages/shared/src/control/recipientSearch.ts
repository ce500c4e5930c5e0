/** What a run knows of one address: its state, what was written down of it, what became of the mail. For operators. */
import { setImmediate as breathe } from 'node:timers/promises';
import { addressKey } from '../audience/index.js';
import type { MailOutcomes } from '../events/index.js';
import type { JournalEntry, RecipientState } from '../ledger/index.js';
import type { MailOutcome } from '../run/index.js';
import type { ControlServices } from './runControl.js';

export interface FoundRecipient {
  address: string;
  chunk: number;
  position: number;
  state: RecipientState;
  /** Oldest first. */
  entries: JournalEntry[];
  outcomes: MailOutcome[];
}

/**
 * Chunk by chunk: nothing leads from an address to its place, because an index would be as large as the audience. A million
 * recipients take seconds, in which other requests get their turns.
 * @returns undefined: the address is not in the run, or the run's addresses are not kept any more.
 * @throws {UnknownRunError}
 */
export async function findRecipient(
  services: Pick<ControlServices, 'ledger' | 'runs'> & { outcomes: MailOutcomes },
  run: string,
  address: string,
): Promise<FoundRecipient | undefined> {
  const { ledger, outcomes, runs } = services;
  await runs.get(run);
  const key = addressKey(address);
  for (const chunk of (await runs.chunkTallies(run)).keys()) {
    const ref = { run, chunk };
    const position = await ledger.positionOf(ref, key);
    if (position === undefined) {
      await breathe();
      continue;
    }
    const [recipients, states, journal, marks] = await Promise.all([
      ledger.recipients(ref),
      ledger.states(ref),
      ledger.journal(ref),
      outcomes.ofChunk(ref),
    ]);
    return {
      address: recipients[position]?.address ?? '',
      chunk,
      position,
      state: states?.[position] ?? 'queued',
      entries: journal.filter((entry) => entry.position === position),
      outcomes: marks.get(position) ?? [],
    };
  }
  return undefined;
}
