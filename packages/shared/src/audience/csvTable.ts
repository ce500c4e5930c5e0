/**
 * A CSV file that is no audience, as another program has written it: columns by the names that they have there, some of them
 * twice. Read as `CsvSource` reads, so that a broken row costs that row only.
 */
import { AudienceSourceError, GARBLED, isGarbled } from './audienceSource.js';
import { CsvRecords } from './csvRecords.js';
import { delimiterOf } from './csvSource.js';
import { fileInput, lineBatches } from './textLines.js';

/** Cells by the names of their columns, in the order of the file; of columns with the same name the first. */
export type CsvRow = { line: number; cells: ReadonlyMap<string, string> } | { line: number; invalid: string };

/** @throws {AudienceSourceError} the file can't be read, or lacks one of the columns. */
export async function* readCsvTable(
  file: string,
  { requiredColumns }: { requiredColumns: readonly string[] },
): AsyncGenerator<CsvRow> {
  let records: CsvRecords | undefined;
  let columns: string[] | undefined;
  for await (const { lines, isEnd } of lineBatches(fileInput(file))) {
    records ??= new CsvRecords(delimiterOf(lines));
    for (const record of records.push(lines, isEnd)) {
      if (columns) {
        yield 'invalid' in record ? record : toCsvRow(record, columns);
        continue;
      }
      columns = 'invalid' in record ? [] : record.cells.map((name) => name.trim());
      // Without the columns that there are: a file without a header begins with somebody's address.
      const missing = requiredColumns.filter((name) => !columns?.includes(name));
      if (missing.length > 0)
        throw new AudienceSourceError(file, record.line, `expected a header with ${missing.join(', ')}`);
      records.columns = columns.length;
    }
  }
  if (!columns) throw new AudienceSourceError(file, 1, 'the file has no header line');
}

function toCsvRow({ line, cells }: { line: number; cells: string[] }, columns: string[]): CsvRow {
  if (cells.length !== columns.length)
    return { line, invalid: `${cells.length} columns instead of ${columns.length}` };
  if (cells.some(isGarbled)) return { line, invalid: GARBLED };
  const named = new Map<string, string>();
  for (const [index, name] of columns.entries())
    if (!named.has(name)) named.set(name, cells[index] as string);
  return { line, cells: named };
}
