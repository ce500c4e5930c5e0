import { basename, relative } from 'node:path';
import { AudienceSourceError } from '@sendonce/shared/audience';
import {
  PeopleImport,
  type PeopleReport,
  type PersonRow,
  readListmonk,
  readMailchimp,
} from '@sendonce/shared/migration';
import { systemClock as clock, UsageError } from '@sendonce/shared/runtime';
import { EVERYTHING, importSuppressions, SUPPRESSION_REASONS } from '@sendonce/shared/suppression';
import type { Command } from 'commander';
import { recordDeed } from '../audit.js';
import { withContext, withDurable } from '../context.js';
import { LiveLine, print, remark } from '../output.js';

/** Bad rows that a report names; the rest is counted. */
const NAMED_ROWS = 20;

interface ImportOptions {
  out: string;
  campaign?: string;
  dryRun?: boolean;
}

export function addImportCommand(program: Command): void {
  const command = program
    .command('import')
    .description('people from another program: an audience file, and who must not be mailed');
  withOptions(command.command('listmonk'))
    .argument('<files...>', 'subscribers.csv, as listmonk exports it')
    .option(
      '--unsubscribed <file>',
      'an export of those who have left the list; may be repeated',
      collect,
      [],
    )
    .description('subscribers of listmonk')
    .action((files: string[], options: ImportOptions & { unsubscribed: string[] }) => {
      const { unsubscribed } = options;
      return importFrom([...unsubscribed, ...files], options, () => readListmonk({ files, unsubscribed }));
    });
  withOptions(command.command('mailchimp'))
    .argument('<paths...>', 'the folder of an unzipped export, or files of it')
    .description('an audience of Mailchimp')
    .action((paths: string[], options: ImportOptions) =>
      importFrom(paths, options, () => readMailchimp(paths)),
    );
}

function collect(file: string, before: string[]): string[] {
  return [...before, file];
}

function withOptions(command: Command): Command {
  return command
    .requiredOption('--out <file>', 'the audience file that is written (NDJSON)')
    .option('--campaign <id>', 'who has left gets no mail of this campaign; default: of any')
    .option('--dry-run', 'only say what would become of it');
}

async function importFrom(
  paths: readonly string[],
  { campaign = EVERYTHING, dryRun = false, out }: ImportOptions,
  rows: () => AsyncIterable<PersonRow>,
): Promise<void> {
  const people = new PeopleImport(watched(rows), { scope: campaign, now: new Date(clock.now()) });
  try {
    if (dryRun) for await (const _ of people.suppressions());
    else {
      await suppressFirst(people, paths);
      await people.writeAudience(out);
    }
  } catch (error) {
    if (error instanceof AudienceSourceError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
  printReport(people.report, dryRun ? `would be in ${out}` : `in ${out}`);
  if (people.report.invalid.length > 0) process.exitCode = 1;
}

/** @returns the rows, telling how many have been read. */
function watched(rows: () => AsyncIterable<PersonRow>): () => AsyncGenerator<PersonRow> {
  return async function* () {
    const progress = new LiveLine();
    let count = 0;
    for await (const row of rows()) {
      count += 1;
      if (count % 10_000 === 0) progress.update(`${count.toLocaleString('en')} read`);
      yield row;
    }
    if (count >= 10_000) progress.end();
  };
}

async function suppressFirst(people: PeopleImport, paths: readonly string[]): Promise<void> {
  await withContext(async (context) => {
    const subject = paths.map((path) => basename(path)).join(', ');
    const deed = { action: 'suppression.import', subject } as const;
    const { added, known, strengthened } = await withDurable(context, deed, ({ suppressions }) =>
      importSuppressions(suppressions, people.suppressions()),
    );
    await recordDeed(context, {
      ...deed,
      outcome: added + strengthened > 0 ? 'done' : 'nothing',
      detail: `${added} added, ${known + strengthened} were there already`,
    });
    print(
      `Suppression list: ${added.toLocaleString('en')} added, ${(known + strengthened).toLocaleString('en')} were there already.`,
    );
  });
}

function printReport(
  { duplicates, invalid, leftOut, mailable, suppressed }: PeopleReport,
  where: string,
): void {
  const lines: [number, string][] = [
    [mailable, where],
    ...SUPPRESSION_REASONS.map((reason): [number, string] => [
      suppressed[reason] ?? 0,
      `suppressed: ${reason}`,
    ]),
    ...[...leftOut].map(([why, count]): [number, string] => [count, `left out: ${why}`]),
    [duplicates, 'duplicates'],
    [invalid.length, 'invalid'],
  ];
  for (const [count, what] of lines)
    if (count > 0) print(`${count.toLocaleString('en').padStart(10)}  ${what}`);
  for (const { file, line, invalid: reason } of invalid.slice(0, NAMED_ROWS))
    remark(`  ${relative(process.cwd(), file)}:${line}: ${reason}`);
  if (invalid.length > NAMED_ROWS) remark(`  and ${invalid.length - NAMED_ROWS} more`);
}
