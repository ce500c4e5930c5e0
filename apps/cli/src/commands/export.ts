import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { EXPORT_COLUMNS, exportRows } from '@sendonce/shared/report';
import type { Command } from 'commander';
import { stringify } from 'csv-stringify';
import { recordDeed } from '../audit.js';
import { withContext } from '../context.js';
import { remark } from '../output.js';

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
        const csv = stringify({ header: true, columns: [...EXPORT_COLUMNS] });
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
