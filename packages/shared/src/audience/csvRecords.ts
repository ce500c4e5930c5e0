/**
 * CSV records out of physical lines (RFC 4180), such that one broken record costs that record only.
 *
 * Why not csv-parse, which is the oracle in the test: after a quote that is never closed it takes all up to the next quote
 * for one cell, and at its size limit drops what it has buffered: in a list of 100,004 rows one such quote lost 100,000
 * recipients behind a handful of reports. Here the line with the quote is reported, and reading goes on at the next one.
 */
import { type Line, MAX_LINE_CHARACTERS } from './textLines.js';

/** A record's cells, or why it has none; with the physical line (from 1) where it starts. */
export type CsvRecord = { line: number; cells: string[] } | { line: number; invalid: string };

const TOO_LONG = `a record is longer than ${MAX_LINE_CHARACTERS} characters`;
const NEVER_CLOSED = 'a quote is opened and not closed where its cell ends';

export class CsvRecords {
  /** A record of several lines with another number of cells is taken for a lost quote. Known after the header. */
  columns: number | undefined;
  readonly #delimiter: string;
  /** Lines that are in no finished record yet, and the number of the first. */
  #lines: Line[] = [];
  #firstLine = 1;
  /** The record at the start of `#lines`, when it goes on in lines that have not come yet. */
  #open: QuotedRecord | undefined;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** @param isEnd no further lines will come. */
  *push(lines: readonly Line[], isEnd: boolean): Generator<CsvRecord> {
    this.#lines = this.#lines.concat(lines);
    let at = 0;
    while (at < this.#lines.length) {
      const text = this.#lines[at];
      const line = this.#firstLine + at;
      if (text === undefined) yield { line, invalid: TOO_LONG };
      else if (text.includes('"')) {
        const record = this.#readQuoted(at, isEnd);
        if (!record) break;
        const invalid = this.#fault(record);
        yield invalid ? { line, invalid } : { line, cells: record.cells };
        // After a fault only its first line is passed over: the others may be rows of their own.
        at += invalid ? 0 : record.lines - 1;
      } else if (text !== '') yield { line, cells: text.split(this.#delimiter) };
      at += 1;
    }
    this.#firstLine += at;
    this.#lines.splice(0, at);
  }

  /** Undefined: the record goes on in lines that have not come yet. */
  #readQuoted(at: number, isEnd: boolean): QuotedRecord | undefined {
    this.#open ??= new QuotedRecord(this.#delimiter);
    const record = this.#open;
    while (record.state === 'open' && at + record.lines < this.#lines.length)
      record.feed(this.#lines[at + record.lines]);
    if (record.state === 'open' && !isEnd) return undefined;
    this.#open = undefined;
    return record;
  }

  #fault({ state, lines, cells }: QuotedRecord): string | undefined {
    if (state === 'open') return NEVER_CLOSED;
    if (state !== 'done') return state.fault;
    const isMisread = lines > 1 && this.columns !== undefined && cells.length !== this.columns;
    return isMisread ? NEVER_CLOSED : undefined;
  }
}

/** A record with quotes, fed line by line until its last cell has ended. */
class QuotedRecord {
  state: 'open' | 'done' | { fault: string } = 'open';
  readonly cells: string[] = [];
  lines = 0;
  readonly #delimiter: string;
  #characters = 0;
  /** What of a quoted cell has been read. */
  #quoted: string | undefined;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  feed(line: Line): void {
    this.lines += 1;
    this.#characters += line?.length ?? 0;
    if (line === undefined || this.#characters > MAX_LINE_CHARACTERS) {
      this.state = { fault: this.lines > 1 ? NEVER_CLOSED : TOO_LONG };
      return;
    }
    let at: number | undefined = 0;
    if (this.#quoted !== undefined) {
      this.#quoted += '\n';
      at = this.#readQuotedCell(line, 0);
    }
    while (at !== undefined) at = line[at] === '"' ? this.#openCell(line, at) : this.#readPlainCell(line, at);
  }

  #openCell(line: string, at: number): number | undefined {
    this.#quoted = '';
    return this.#readQuotedCell(line, at + 1);
  }

  /** @returns where the next cell starts; undefined when there is none in this line. */
  #readQuotedCell(line: string, from: number): number | undefined {
    let at = from;
    for (;;) {
      const quote = line.indexOf('"', at);
      if (quote < 0) {
        this.#quoted += line.slice(at);
        return undefined;
      }
      if (line[quote + 1] !== '"') {
        this.cells.push(this.#quoted + line.slice(at, quote));
        this.#quoted = undefined;
        return this.#afterQuote(line, quote + 1);
      }
      this.#quoted += line.slice(at, quote + 1);
      at = quote + 2;
    }
  }

  #afterQuote(line: string, at: number): number | undefined {
    if (at === line.length) this.state = 'done';
    else if (line[at] === this.#delimiter) return at + 1;
    else this.state = { fault: NEVER_CLOSED };
    return undefined;
  }

  /** A quote in it (`six" nails`) is a character like others: it can't be mistaken for anything else. */
  #readPlainCell(line: string, at: number): number | undefined {
    const end = line.indexOf(this.#delimiter, at);
    this.cells.push(end < 0 ? line.slice(at) : line.slice(at, end));
    if (end >= 0) return end + 1;
    this.state = 'done';
    return undefined;
  }
}
