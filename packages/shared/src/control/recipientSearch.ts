/** What a run knows of one address: its state, what was written down of it, what became of the mail. For operators. */
import { setImmediate as breathe } from 'node:timers/promises';
import { addressKey } from '../audience/index.js';
import type { MailOutcomes } from '../events/index.js';
import type { ChunkRef, JournalEntry, RecipientState } from '../ledger/index.js';
import type { MailOutcome } from '../run/index.js';
import type { ControlServices } from './runControl.js';

type SearchServices = Pick<ControlServices, 'ledger' | 'runs'> & { outcomes: MailOutcomes };

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
 * @returns one, unless single messages have gone to the address; none: it is not in the run, or the run's addresses are not
 *   kept any more.
 * @throws {UnknownRunError}
 */
export async function findRecipients(
  services: SearchServices,
  run: string,
  address: string,
): Promise<FoundRecipient[]> {
  const { ledger, runs } = services;
  const { origin } = await runs.get(run);
  const key = addressKey(address);
  const found: FoundRecipient[] = [];
  for (const chunk of (await runs.chunkTallies(run)).keys()) {
    const ref = { run, chunk };
    const positions = await ledger.positionsOf(ref, key);
    found.push(...(await readRecipients(services, ref, positions)));
    // An audience has every address once.
    if (found.length > 0 && origin !== 'messages') break;
    await breathe();
  }
  return found;
}

async function readRecipients(
  { ledger, outcomes }: SearchServices,
  ref: ChunkRef,
  positions: readonly number[],
): Promise<FoundRecipient[]> {
  if (positions.length === 0) return [];
  const [recipients, states, journal, marks] = await Promise.all([
    ledger.recipients(ref),
    ledger.states(ref),
    ledger.journal(ref),
    outcomes.ofChunk(ref),
  ]);
  return positions.map((position) => ({
    address: recipients[position]?.address ?? '',
    chunk: ref.chunk,
    position,
    state: states?.[position] ?? 'queued',
    entries: journal.filter((entry) => entry.position === position),
    outcomes: marks.get(position) ?? [],
  }));
}
