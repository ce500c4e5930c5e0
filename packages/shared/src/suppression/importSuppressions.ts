/** Many addresses at once onto the suppression list: from a CSV, or from wherever rows come. May be repeated. */
import { resolve } from 'node:path';
import { AudienceSourceError, openCsv } from '../audience/index.js';
import { UsageError } from '../runtime/index.js';
import { EVERYTHING, SUPPRESSION_REASONS, type Suppression, type SuppressionReason } from './suppression.js';
import type { Added, SuppressionList } from './suppressionList.js';

/** Entries that are written at once. */
const BATCH_SIZE = 1_000;

export type SuppressionRow = { suppression: Suppression } | { line: number; invalid: string };

export interface ImportReport extends Record<Added, number> {
  invalid: { line: number; invalid: string }[];
}

/** @param onProgress gets how many rows are written so far. */
export async function importSuppressions(
  suppressions: SuppressionList,
  rows: AsyncIterable<SuppressionRow>,
  onProgress: (count: number) => void = () => undefined,
): Promise<ImportReport> {
  const report: ImportReport = { added: 0, known: 0, strengthened: 0, invalid: [] };
  let waiting: Suppression[] = [];
  let count = 0;
  const write = async (): Promise<void> => {
    for (const added of await suppressions.addMany(waiting)) report[added] += 1;
    count += waiting.length;
    waiting = [];
    onProgress(count);
  };
  for await (const row of rows) {
    if ('invalid' in row) report.invalid.push(row);
    else if (waiting.push(row.suppression) === BATCH_SIZE) await write();
  }
  await write();
  return report;
}

export interface CsvImportOptions {
  /** Of the addresses. */
  column: string;
  /** Default: what the column campaign says, else any. */
  campaign?: string | undefined;
  /** Of entries without a time of their own. */
  since: Date;
  /** The file's name in errors; default: its path. */
  name?: string;
}

/**
 * A CSV with a header; also what `sendonce suppress list` has written.
 * @throws {UsageError} the file can't be read, or lacks the column.
 */
export async function* readSuppressionCsv(
  file: string,
  options: CsvImportOptions,
): AsyncGenerator<SuppressionRow> {
  const path = resolve(file);
  const { column, name = path } = options;
  const source = openCsv(path, column);
  await source.fields().catch((error: unknown) => {
    if (!(error instanceof AudienceSourceError)) throw error;
    // Not with the columns that there are: a file without a header begins with an address.
    const isRead = error.line !== undefined;
    const hint = `expected a header with the column "${column}"`;
    throw new UsageError(isRead ? `${name}:${error.line}: ${hint}` : error.message, { cause: error });
  });
  for await (const row of source.rows()) {
    if ('invalid' in row) yield { line: row.line, invalid: row.invalid };
    else yield toRow(row.line, row.recipient.key, row.recipient.fields, options);
  }
}

function toRow(
  line: number,
  address: string,
  fields: Record<string, unknown>,
  { campaign, since: now }: CsvImportOptions,
): SuppressionRow {
  const { reason, run, time } = fields as Record<string, string | undefined>;
  const since = time ? new Date(time) : now;
  if (Number.isNaN(since.getTime())) return { line, invalid: 'the column "time" holds no time' };
  if (reason && !isReason(reason))
    return { line, invalid: `the column "reason" holds none of ${SUPPRESSION_REASONS.join(', ')}` };
  const scope = campaign ?? (fields.campaign as string | undefined) ?? EVERYTHING;
  return {
    suppression: {
      address,
      scope,
      reason: reason && isReason(reason) ? reason : 'import',
      since,
      ...(run && { run }),
    },
  };
}

function isReason(text: string): text is SuppressionReason {
  return (SUPPRESSION_REASONS as string[]).includes(text);
}
