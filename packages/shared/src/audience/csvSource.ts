/**
 * CSV as RFC 4180 has it, and as spreadsheets write it: BOM, CRLF, quotes, line breaks inside of quotes; comma, semicolon or
 * tab, whichever the header line uses. A bad row is reported and passed over.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type CsvError, type Info, parse } from 'csv-parse';
import { parseRecipientAddress } from './address.js';
import {
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  type RowOptions,
} from './audienceSource.js';
import { findClash, missingField, toFieldName } from './mergeFields.js';

/** A quote that is never closed swallows the rest of the file; up to this many bytes. */
const MAX_RECORD_BYTES = 1_000_000;

interface CsvRecord {
  cells: string[];
  /** Physical line where the record starts. */
  line: number;
}

export class CsvSource implements AudienceSource {
  readonly #file: string;
  readonly #addressField: string;

  constructor(file: string, addressField: string) {
    this.#file = file;
    this.#addressField = addressField;
  }

  async fields(): Promise<string[]> {
    for await (const record of this.#records()) {
      if ('cells' in record) return this.#toFields(record);
    }
    throw new AudienceSourceError(this.#file, 1, 'the file has no header line');
  }

  async *rows({ requiredFields = [], signal }: RowOptions = {}): AsyncIterable<AudienceRow> {
    let header: string[] | undefined;
    for await (const record of this.#records(signal)) {
      if ('invalid' in record) yield record;
      else if (!header) header = this.#toFields(record);
      else yield this.#toRow(record, header, requiredFields);
    }
    if (!header) throw new AudienceSourceError(this.#file, 1, 'the file has no header line');
  }

  #toFields({ cells, line }: CsvRecord): string[] {
    const clash = findClash(cells);
    if (clash) throw new AudienceSourceError(this.#file, line, clash);
    const fields = cells.map(toFieldName);
    if (!fields.includes(this.#addressField)) {
      throw new AudienceSourceError(
        this.#file,
        line,
        `there is no column "${this.#addressField}"; the columns are ${fields.join(', ')}`,
      );
    }
    return fields;
  }

  #toRow({ cells, line }: CsvRecord, header: string[], requiredFields: readonly string[]): AudienceRow {
    if (cells.length !== header.length)
      return { line, invalid: `${cells.length} columns instead of ${header.length}` };
    const fields = Object.fromEntries(header.map((name, index) => [name, cells[index]]));
    const address = parseRecipientAddress(String(fields[this.#addressField]));
    if ('invalid' in address) return { line, ...address };
    const missing = missingField(fields, requiredFields);
    if (missing) return { line, invalid: `the field "${missing}" is missing` };
    return { line, recipient: { ...address, fields } };
  }

  /** Whichever of the usual ones the header line has most of. */
  async #delimiter(): Promise<string> {
    const head = await readHead(this.#file).catch((error: Error) => {
      throw new AudienceSourceError(this.#file, undefined, error.message);
    });
    const [firstLine = ''] = head.split(/\r\n|\r|\n/);
    const count = (delimiter: string) => firstLine.split(delimiter).length;
    return [',', ';', '\t'].reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
  }

  /** Records and unreadable places, in the order of the file. */
  async *#records(signal?: AbortSignal): AsyncIterable<CsvRecord | { line: number; invalid: string }> {
    const skipped: { line: number; invalid: string }[] = [];
    const parser = parse({
      bom: true,
      delimiter: await this.#delimiter(),
      info: true,
      max_record_size: MAX_RECORD_BYTES,
      on_skip: (error) => {
        skipped.push({ line: Number(error?.lines ?? 0), invalid: error ? describe(error) : 'unreadable' });
        return undefined;
      },
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
    });
    const input = createReadStream(this.#file, signal ? { signal } : {});
    input.on('error', (error) => parser.destroy(error));
    let lastLine = 0;
    try {
      for await (const { record, info } of input.pipe(parser) as AsyncIterable<{
        record: string[];
        info: Info;
      }>) {
        while (skipped.length > 0) yield skipped.shift() as { line: number; invalid: string };
        yield { cells: record, line: lastLine + 1 };
        lastLine = info.lines;
      }
      yield* skipped;
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new AudienceSourceError(
        this.#file,
        undefined,
        error instanceof Error ? error.message : String(error),
      );
    } finally {
      input.destroy();
    }
  }
}

const HEAD_BYTES = 65_536;

async function readHead(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

function describe(error: CsvError): string {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE')
    return 'a quote is opened and never closed';
  return `unreadable: ${error.code}`;
}
