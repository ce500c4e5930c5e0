import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { addressKey } from '@sendonce/shared/audience';
import type { JournalEntry } from '@sendonce/shared/ledger';
import type { Command } from 'commander';
import { stringify } from 'csv-stringify';
import { recordDeed } from '../audit.js';
import { type Context, withContext } from '../context.js';
import { remark } from '../output.js';

interface Row {
  address: string;
  state: string;
  message_id: string;
  time: string;
  reason: string;
  outcomes: string;
}

export function addExportCommand(program: Command): void {
  program
    .command('export')
    .argument('<run>')
    .option('--out <file>', 'default: standard output')
    .description('CSV of a run: address, state, message id, time, reason, and what became of the mail')
    .action(async (run: string, { out }: { out?: string }) => {
      await withContext(async (context) => {
        await context.runs.get(run);
        // Before the first address: a reader of the pipe may end us at any row.
        await recordDeed(context, { action: 'run.export', subject: run, outcome: 'done' });
        const csv = stringify({
          header: true,
          columns: ['address', 'state', 'message_id', 'time', 'reason', 'outcomes'],
        });
        const written = out === undefined ? undefined : csv.pipe(createWriteStream(out));
        if (!written) csv.pipe(process.stdout);
        let count = 0;
        for await (const row of exportRows(context, run)) {
          count += 1;
          if (!csv.write(row)) await once(csv, 'drain');
        }
        csv.end();
        await once(written ?? csv, written ? 'finish' : 'end');
        if (out !== undefined) remark(`${count} recipients written to ${out}`);
      });
    });
}

/** Chunk by chunk, so that a large run does not have to fit into memory. */
async function* exportRows(
  { ledger, outcomes, runs, suppressions }: Context,
  run: string,
): AsyncIterable<Row> {
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

function toRow(address: string, state: string, entry: JournalEntry | undefined): Omit<Row, 'outcomes'> {
  const isSent = entry?.event === 'accept' || entry?.event === 'evidence';
  return {
    address,
    state,
    message_id: isSent ? (entry?.detail ?? '') : '',
    time: entry ? new Date(entry.at).toISOString() : '',
    reason: isSent ? '' : (entry?.detail ?? ''),
  };
}
