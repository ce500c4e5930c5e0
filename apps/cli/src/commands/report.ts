import { type RunReport, reportAsJson, reportAsRows, runReport } from '@sendonce/shared/report';
import { type Command, Option } from 'commander';
import { stringify } from 'csv-stringify/sync';
import { withContext } from '../context.js';
import { formatDate, print, printTable, remark } from '../output.js';

/** Hours and links in the table; the whole is in --json and --csv. */
const SHOWN = 20;
const BAR_WIDTH = 24;

export function addReportCommand(program: Command): void {
  program
    .command('report')
    .argument('<run>')
    .addOption(new Option('--json', 'for programs').conflicts('csv'))
    .option('--csv', 'for spreadsheets: measure, link, hour, value')
    .description('what came of a run: mails sent, delivered, bounced; clicks by link and by hour')
    .action(async (run: string, { json, csv }: { json?: boolean; csv?: boolean }) => {
      const report = await withContext((context) => runReport(context, run));
      if (json) return print(JSON.stringify(reportAsJson(report), null, 2));
      if (csv) return print(stringify(reportAsRows(report), { header: true }).trimEnd());
      printReport(report);
    });
}

function printReport({ run, clicks }: RunReport): void {
  const { numbers, outcomes } = run;
  printTable(
    [run.id, run.status],
    [
      ['sent', count(numbers.sent)],
      ['delivered', count(outcomes.delivered)],
      ['bounced', count(outcomes.bounced)],
      ['complained', count(outcomes.complained)],
      ['unsubscribed', count(outcomes.unsubscribed)],
      ['clicks', count(clicks.human)],
      ['  people', `${count(clicks.unique)} (${(clicks.rate * 100).toFixed(1)}%)`],
      ['  by scanners, beside', count(clicks.scanner)],
    ],
  );
  if (clicks.rows.length > 0) printClicks(clicks);
  else remark('No clicks yet; they show up five seconds after they were made.');
}

function printClicks(clicks: RunReport['clicks']): void {
  const most = Math.max(...clicks.byHour.map(({ human }) => human), 1);
  printTable(
    ['link', 'clicks', 'scanners'],
    clicks.byLink
      .slice(0, SHOWN)
      .map(({ link, human, scanner }) => [link ?? '(other links)', count(human), count(scanner)]),
  );
  printTable(
    ['hour (UTC)', 'clicks', ''],
    clicks.byHour
      .slice(0, SHOWN)
      .map(({ hour, human }) => [
        formatDate(hour) || 'later',
        count(human),
        '█'.repeat(Math.ceil((human / most) * BAR_WIDTH)),
      ]),
  );
  const hidden = Math.max(clicks.byLink.length, clicks.byHour.length) - SHOWN;
  if (hidden > 0) remark('Some rows are left out; --json and --csv have all of them.');
}

function count(value: number): string {
  return value.toLocaleString('en');
}
