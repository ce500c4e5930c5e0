/** A run as a table: a row a recipient, with state, message id, time, reason, and what became of the mail. */
import { addressKey } from '../audience/index.js';
import type { MailOutcomes } from '../events/index.js';
import type { JournalEntry, Ledger } from '../ledger/index.js';
import type { Runs } from '../run/index.js';
import type { SuppressionList } from '../suppression/index.js';

export const EXPORT_COLUMNS = ['address', 'state', 'message_id', 'time', 'reason', 'outcomes'] as const;

export type ExportRow = Record<(typeof EXPORT_COLUMNS)[number], string>;

export interface ExportServices {
  ledger: Ledger;
  outcomes: MailOutcomes;
  runs: Runs;
  suppressions: SuppressionList;
}

/**
 * Chunk by chunk, so that a large run does not have to fit into memory.
 * @throws {UnknownRunError}
 */
export async function* exportRows(
  { ledger, outcomes, runs, suppressions }: ExportServices,
  run: string,
): AsyncGenerator<ExportRow> {
  await runs.get(run);
  const chunks = [...(await runs.chunkTallies(run)).keys()].sort((a, b) => a - b);
  for (const chunk of chunks) {
    const ref = { run, chunk };
    const [recipients, states, journal, marks] = await Promise.all([
      ledger.recipients(ref),
      ledger.states(ref),
      ledger.journal(ref),
      outcomes.ofChunk(ref),
    ]);
    const leftBy = await suppressions.leftByRun(
      recipients.map(({ address }) => addressKey(address)),
      run,
    );
    const last = new Map<number, JournalEntry>();
    for (const entry of journal) last.set(entry.position, mergeEntry(last.get(entry.position), entry));
    yield* recipients.map(({ address }, position) => ({
      ...toRow(address, states?.[position] ?? '', last.get(position)),
      outcomes: [...(marks.get(position) ?? []), ...(leftBy.has(position) ? ['unsubscribed'] : [])].join(' '),
    }));
  }
}

/** The newest entry; SES's answer stays when an event only says the same. */
function mergeEntry(known: JournalEntry | undefined, entry: JournalEntry): JournalEntry {
  return known?.event === 'accept' && entry.event === 'evidence' ? known : entry;
}

function toRow(address: string, state: string, entry: JournalEntry | undefined): Omit<ExportRow, 'outcomes'> {
  const isSent = entry?.event === 'accept' || entry?.event === 'evidence';
  return {
    address,
    state,
    message_id: isSent ? (entry?.detail ?? '') : '',
    time: entry ? new Date(entry.at).toISOString() : '',
    reason: isSent ? '' : (entry?.detail ?? ''),
  };
}
