import { runJson } from '@sendonce/shared/run';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { formatDate, print, printNumbers, printTable } from '../output.js';
import { watchRun } from './watch.js';

const LISTED_RUNS = 20;

export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .argument('[run]', 'default: the newest runs')
    .option('--watch', 'follow the run until it has ended')
    .option('--json', 'for programs')
    .description('the numbers of a run, or the newest runs')
    .action(async (run: string | undefined, { watch, json }: { watch?: boolean; json?: boolean }) => {
      await withContext(async ({ runs }) => {
        if (run && watch) return void (await watchRun(runs, run));
        const records = run ? [await runs.get(run)] : await runs.list(LISTED_RUNS);
        const asJson = records.map(runJson);
        if (json) return print(JSON.stringify(run ? asJson[0] : asJson, null, 2));
        if (run && records[0]) return printNumbers(records[0]);
        printTable(
          ['run', 'status', 'audience', 'sent', 'queued', 'in_doubt', 'rejected', 'finished (UTC)'],
          records.map(({ id, status, numbers, finishedAt }) => [
            id,
            status,
            numbers.audience,
            numbers.sent,
            numbers.queued + numbers.claimed,
            numbers.in_doubt,
            numbers.rejected,
            formatDate(finishedAt),
          ]),
        );
      });
    });
}
