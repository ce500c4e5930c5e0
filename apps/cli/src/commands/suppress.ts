import { once } from 'node:events';
import { basename } from 'node:path';
import { maskAddress, parseRecipientAddress } from '@sendonce/shared/audience';
import { systemClock as clock, UsageError } from '@sendonce/shared/runtime';
import { SesClient } from '@sendonce/shared/ses';
import {
  EVERYTHING,
  type ImportReport,
  importSuppressions,
  readSuppressionCsv,
  type Suppression,
  type SuppressionList,
  type SuppressionRow,
} from '@sendonce/shared/suppression';
import type { Command } from 'commander';
import { stringify } from 'csv-stringify';
import { recordDeed } from '../audit.js';
import { type Context, withContext, withDurable } from '../context.js';
import { LiveLine, print, remark } from '../output.js';

/** Bad rows that a report names; the rest is counted. */
const NAMED_ROWS = 20;

export function addSuppressCommand(program: Command): void {
  const suppress = program.command('suppress').description('who gets no mail');
  suppress
    .command('add')
    .argument('<address>')
    .option('--campaign <id>', 'only of this campaign; default: of any')
    .description('put an address on the list')
    .action(async (text: string, { campaign = EVERYTHING }: { campaign?: string }) => {
      const address = keyOf(text);
      await withContext(async (context) => {
        const since = new Date(clock.now());
        const deed = { action: 'suppression.add', subject: maskAddress(address) } as const;
        const added = await withDurable(context, deed, ({ suppressions }) =>
          suppressions.add({ address, scope: campaign, reason: 'manual', since }),
        );
        await recordDeed(context, {
          ...deed,
          outcome: added === 'known' ? 'nothing' : 'done',
          detail: describeScope(campaign),
        });
        print(added === 'known' ? 'It is on the list already.' : 'Added.');
      });
    });
  suppress
    .command('remove')
    .argument('<address>')
    .option('--campaign <id>', 'the entry of this campaign; default: the one for any')
    .description('take an address off the list')
    .action(async (text: string, { campaign = EVERYTHING }: { campaign?: string }) => {
      const address = keyOf(text);
      await withContext(async (context) => {
        const { suppressions } = context;
        const isRemoved = await suppressions.remove(address, campaign);
        await recordDeed(context, {
          action: 'suppression.remove',
          subject: maskAddress(address),
          outcome: isRemoved ? 'done' : 'nothing',
          detail: describeScope(campaign),
        });
        const left = await suppressions.find(address);
        if (!isRemoved) throw new UsageError(`There is no such entry.${describeLeft(left)}`);
        print(`Removed.${describeLeft(left)}`);
      });
    });
  suppress
    .command('list')
    .option('--address <address>', 'only this one')
    .description('the list as CSV: address, campaign (* is any), reason, time, run')
    .action(async ({ address }: { address?: string }) => {
      await withContext(({ suppressions }) => writeList(suppressions, address && keyOf(address)));
    });
  suppress
    .command('import')
    .argument('[file]', 'CSV with a header; also what `list` has written')
    .option('--column <name>', 'of the addresses', 'address')
    .option('--campaign <id>', 'only of this campaign; default: of any, or what the column campaign says')
    .option('--from-ses', 'the suppression list of the SES account, instead of a file')
    .description('put many addresses on the list')
    .action(async (file: string | undefined, options: ImportOptions) => {
      if ((file === undefined) === (options.fromSes !== true))
        throw new UsageError('Say either a file or --from-ses.');
      await withContext(async (context) => {
        const { campaign, column } = options;
        const progress = new LiveLine();
        const rows =
          file === undefined
            ? fromSes(context)
            : readSuppressionCsv(file, { campaign, column, since: new Date(clock.now()) });
        const subject = file === undefined ? 'from SES' : basename(file);
        const deed = { action: 'suppression.import', subject } as const;
        const report = await withDurable(context, deed, ({ suppressions }) =>
          importSuppressions(suppressions, rows, (count) =>
            progress.update(`${count.toLocaleString('en')} read`),
          ),
        );
        progress.end();
        await recordDeed(context, {
          ...deed,
          outcome: report.added + report.strengthened > 0 ? 'done' : 'nothing',
          detail: describeReport(report),
        });
        printReport(report);
        if (report.invalid.length > 0) process.exitCode = 1;
      });
    });
}

interface ImportOptions {
  column: string;
  campaign?: string;
  fromSes?: boolean;
}

async function* fromSes({ settings }: Context): AsyncGenerator<SuppressionRow> {
  const ses = new SesClient(settings.ses);
  let line = 0;
  try {
    for await (const { address: text, since } of ses.suppressed()) {
      line += 1;
      const parsed = parseRecipientAddress(text);
      if ('invalid' in parsed) yield { line, invalid: parsed.invalid };
      else yield { suppression: { address: parsed.key, scope: EVERYTHING, reason: 'ses', since } };
    }
  } finally {
    ses.close();
  }
}

function describeReport({ added, known, strengthened, invalid }: ImportReport): string {
  return `${added.toLocaleString('en')} added, ${(known + strengthened).toLocaleString('en')} were there already, ${invalid.length} invalid.`;
}

function printReport(report: ImportReport): void {
  const { invalid } = report;
  print(describeReport(report));
  for (const { line, invalid: reason } of invalid.slice(0, NAMED_ROWS)) remark(`  line ${line}: ${reason}`);
  if (invalid.length > NAMED_ROWS) remark(`  and ${invalid.length - NAMED_ROWS} more`);
}

async function writeList(suppressions: SuppressionList, address: string | undefined): Promise<void> {
  const csv = stringify({ header: true, columns: ['address', 'campaign', 'reason', 'time', 'run'] });
  csv.pipe(process.stdout);
  for await (const entry of address ? await suppressions.find(address) : suppressions.entries()) {
    const { scope, reason, since, run = '' } = entry;
    const row = { address: entry.address, campaign: scope, reason, time: since.toISOString(), run };
    if (!csv.write(row)) await once(csv, 'drain');
  }
  csv.end();
  await once(csv, 'end');
}

function keyOf(text: string): string {
  const address = parseRecipientAddress(text);
  if ('invalid' in address) throw new UsageError(`The address can't be used: ${address.invalid}`);
  return address.key;
}

function describeScope(scope: string): string {
  return scope === EVERYTHING ? 'any campaign' : scope;
}

function describeLeft(left: readonly Suppression[]): string {
  if (left.length === 0) return '';
  const scopes = left.map(({ scope, reason }) => `${describeScope(scope)} (${reason})`);
  return ` The address is still on it for ${scopes.join(', ')}.`;
}
