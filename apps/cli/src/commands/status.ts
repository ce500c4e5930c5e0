import { NUMBER_NAMES, type RunRecord } from '@sendonce/shared/run';
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
        if (json) return print(JSON.stringify(run ? toJson(records[0]) : records.map(toJson), null, 2));
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

/** Snake case and ISO times, the same words as everywhere. */
function toJson(record: RunRecord | undefined): Record<string, unknown> | undefined {
  if (!record) return undefined;
  return {
    run: record.id,
    campaign: record.campaign,
    status: record.status,
    pause_reason: record.pauseReason,
    pause_cause: record.pauseCause,
    scheduled_at: record.scheduledAt,
    created_at: record.createdAt,
    frozen_at: record.frozenAt,
    finished_at: record.finishedAt,
    chunks: record.chunks,
    ...Object.fromEntries(NUMBER_NAMES.map((name) => [name, record.numbers[name]])),
    ...record.outcomes,
  };
}
