/**
 * CSV records out of physical lines (RFC 4180), such that one broken record costs that record only.
 *
 * Why not csv-parse, which is the oracle in the test: after a quote that is never closed it takes the rows up to the next
 * quote for one field, and at its size limit drops what it has buffered. In a list of 100,000 one such quote lost
 * 99,997 recipients, and reported a handful of bad rows. Here the line with the quote is reported and reading goes on with the
 * next one. (It is also 5 times as fast; see csvSource.ts.)
 */
import { type Line, MAX_LINE_CHARACTERS } from './textLines.js';

/** A record's cells, or why it has none; with the physical line (from 1) where it starts. */
export type CsvRecord = { line: number; cells: string[] } | { line: number; invalid: string };

const TOO_LONG = { invalid: `a record is longer than ${MAX_LINE_CHARACTERS} characters` };
const NEVER_CLOSED = { invalid: 'a quote is opened and never closed' };

export class CsvRecords {
  readonly #delimiter: string;
  /** A multi-line record with other than this many cells is taken for a lost quote. Set by the reader of the header. */
  columns: number | undefined;
  /** Lines that are not part of a finished record yet, and where the first of them stands. */
  #lines: Line[] = [];
  #firstLine = 1;
  /** How far into `#lines` the record that is being read has come. */
  #open: QuotedRecord | undefined;
  #openLines = 0;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** @param isEnd no further lines will come. */
  *push(lines: readonly Line[], isEnd: boolean): Generator<CsvRecord> {
    this.#lines = this.#lines.length === 0 ? [...lines] : this.#lines.concat(lines);
    let at = 0;
    while (at < this.#lines.length) {
      const text = this.#lines[at];
      const line = this.#firstLine + at;
      if (text === undefined) {
        yield { line, ...TOO_LONG };
        at += 1;
      } else if (text === '') {
        at += 1;
      } else if (!text.includes('"')) {
        yield { line, cells: text.split(this.#delimiter) };
        at += 1;
      } else {
        const read = this.#readQuoted(at, isEnd);
        if (read === 'more') break;
        yield 'cells' in read ? { line, cells: read.cells } : { line, invalid: read.invalid };
        at += read.lines;
      }
    }
    this.#firstLine += at;
    this.#lines.splice(0, at);
  }

  /** The record that starts at a line; `more`: it goes on in lines that have not come yet. */
  #readQuoted(
    at: number,
    isEnd: boolean,
  ): 'more' | { lines: number; cells: string[] } | { lines: 1; invalid: string } {
    this.#open ??= new QuotedRecord(this.#delimiter);
    while (at + this.#openLines < this.#lines.length) {
      const text = this.#lines[at + this.#openLines];
      this.#openLines += 1;
      const verdict = text === undefined ? TOO_LONG : this.#open.feed(text);
      if (verdict === 'open') continue;
      const lines = this.#reset();
      if (typeof verdict !== 'string') return { lines: 1, ...verdict };
      const { cells } = verdict === 'done' ? this.#last : { cells: [] };
      const isMisread = lines > 1 && this.columns !== undefined && cells.length !== this.columns;
      return isMisread ? { lines: 1, ...NEVER_CLOSED } : { lines, cells };
    }
    if (!isEnd) return 'more';
    this.#reset();
    return { lines: 1, ...NEVER_CLOSED };
  }

  #last = { cells: [] as string[] };

  #reset(): number {
    const lines = this.#openLines;
    this.#last = { cells: this.#open?.cells ?? [] };
    this.#open = undefined;
    this.#openLines = 0;
    return lines;
  }
}
