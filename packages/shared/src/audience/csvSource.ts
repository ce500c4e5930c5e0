/**
 * CSV as RFC 4180 has it, and as spreadsheets write it: BOM, CRLF, quotes, line breaks inside of quotes (as LF); comma,
 * semicolon or tab, whichever the header line uses most. A bad row is reported and passed over.
 */
import {
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  GARBLED,
  isGarbled,
  type RowOptions,
} from './audienceSource.js';
import { type CsvRecord, CsvRecords } from './csvRecords.js';
import { findClash, toFieldName } from './mergeFields.js';
import { RowReader, type RowRules } from './rowReader.js';
import { type Line, lineBatches, type TextInput } from './textLines.js';

const DELIMITERS = [',', ';', '\t'];

interface Header {
  fields: string[];
  records: CsvRecords;
}

export class CsvSource implements AudienceSource {
  readonly #input: TextInput;
  readonly #rules: RowRules;
  readonly #addressField: string;

  constructor(input: TextInput, rules: RowRules) {
    this.#input = input;
    this.#rules = rules;
    this.#addressField = toFieldName(rules.addressField);
  }

  async fields(): Promise<string[]> {
    for await (const { header } of this.#batches()) return header.fields;
    throw this.#error(1, 'there is no header line');
  }

  async *rows(options: RowOptions = {}): AsyncIterable<AudienceRow> {
    const reader = new RowReader(this.#input.name, this.#rules, options);
    let isEmpty = true;
    for await (const { header, records } of this.#batches(options.signal)) {
      isEmpty = false;
      for (const record of records) {
        const row = toRow(reader, record, header.fields);
        if (row) yield row;
      }
    }
    if (isEmpty) throw this.#error(1, 'there is no header line');
  }

  /** The records after the header, a chunk of the file at a time. */
  async *#batches(signal?: AbortSignal): AsyncGenerator<{ header: Header; records: Iterable<CsvRecord> }> {
    let records: CsvRecords | undefined;
    let header: Header | undefined;
    for await (const { lines, isEnd } of lineBatches(this.#input, signal)) {
      records ??= new CsvRecords(delimiterOf(lines));
      const batch = records.push(lines, isEnd);
      if (!header) {
        const { value: first } = batch.next() as IteratorResult<CsvRecord, undefined>;
        if (!first) continue;
        header = { fields: this.#toFields(first), records };
        records.columns = header.fields.length;
      }
      yield { header, records: batch };
    }
  }

  #toFields(record: CsvRecord): string[] {
    if ('invalid' in record) throw this.#error(record.line, `the header can't be read: ${record.invalid}`);
    const { cells, line } = record;
    const clash = findClash(cells);
    if (clash) throw this.#error(line, clash);
    const fields = cells.map(toFieldName);
    if (fields.includes(this.#addressField)) return fields;
    throw this.#error(
      line,
      `there is no column "${this.#addressField}"; the columns are ${fields.join(', ')} (address_field names the one with the addresses)`,
    );
  }

  #error(line: number, reason: string): AudienceSourceError {
    return new AudienceSourceError(this.#input.name, line, reason);
  }
}

function toRow(reader: RowReader, record: CsvRecord, header: string[]): AudienceRow | undefined {
  if ('invalid' in record) return reader.invalid(record.line, record.invalid);
  const { cells, line } = record;
  if (cells.length !== header.length)
    return reader.invalid(line, `${cells.length} columns instead of ${header.length}`);
  const fields: Record<string, unknown> = {};
  for (let column = 0; column < header.length; column++) {
    const cell = cells[column] as string;
    if (isGarbled(cell)) return reader.invalid(line, GARBLED);
    fields[header[column] as string] = cell;
  }
  return reader.read(line, fields);
}

/** Whichever of the usual ones the header line has most of, outside of quotes. */
export function delimiterOf(lines: readonly Line[]): string {
  const header = (lines.find(Boolean) ?? '').replace(/"[^"]*"/g, '');
  const count = (delimiter: string) => header.split(delimiter).length;
  return DELIMITERS.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}
