import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CsvRecord, CsvRecords } from './csvRecords.js';

/** Reads a text whose lines come in pieces, as they do from a file. */
function read(text: string, { columns, linesAPiece = 2 }: { columns?: number; linesAPiece?: number } = {}) {
  const records = new CsvRecords(',');
  records.columns = columns;
  const lines = text.split('\n');
  const found: CsvRecord[] = [];
  while (lines.length > 0) found.push(...records.push(lines.splice(0, linesAPiece), lines.length === 0));
  return found;
}

test('reads what csv-parse reads, in pieces of any size, with the line where each record starts', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' ', 'é'), maxLength: 6 });
  const encode = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(table, fc.integer({ min: 1, max: 4 }), (rows, linesAPiece) => {
      const text = rows.map((row) => row.map(encode).join(',')).join('\n');
      const found = read(text, { columns: 3, linesAPiece });
      const cells = found.map((record) => ('cells' in record ? record.cells : record.invalid));
      expect(cells).toEqual(parse(text, { record_delimiter: '\n' }));
      let line = 1;
      for (const [index, row] of rows.entries()) {
        expect(found[index]?.line).toBe(line);
        line += row.join().split('\n').length;
      }
    }),
  );
});

describe('one broken record costs that record only', () => {
  const neighbours = Array.from({ length: 50 }, (_, i) => `p${i}@example.com,"N ${i}"`);

  test.each([
    ['an unclosed quote', 'x@example.com,"Bob'],
    ['an unclosed quote before an empty cell', 'x@example.com,"Bob,""'],
    ['text after a closing quote', 'x@example.com,"a"b'],
  ])('%s', (_, broken) => {
    for (const at of [0, 25, 50]) {
      for (const linesAPiece of [1, 7, 100]) {
        const rows = neighbours.toSpliced(at, 0, broken);
        const found = read(rows.join('\n'), { columns: 2, linesAPiece });
        expect(found.filter((record) => 'invalid' in record).map(({ line }) => line)).toEqual([at + 1]);
        expect(found.filter((record) => 'cells' in record)).toHaveLength(50);
      }
    }
  });

  test('also when the next quote looks like the end of the open one', () => {
    const found = read('a@example.com,"Bob\nb@example.com,",x\nc@example.com,C', { columns: 2 });
    expect(found.map(({ line }) => line)).toEqual([1, 2, 3]);
    expect(found.at(-1)).toEqual({ line: 3, cells: ['c@example.com', 'C'] });
  });

  test('an open quote stops being looked for after a million characters', () => {
    const filler = Array.from({ length: 12_000 }, () => 'b@example.com,'.padEnd(100, 'x'));
    const found = read(['a@example.com,"Bob', ...filler].join('\n'), { columns: 2, linesAPiece: 1_000 });
    expect(found.filter((record) => 'invalid' in record)).toHaveLength(1);
    expect(found).toHaveLength(12_001);
  });
});

test('a quote in a cell that does not begin with one is a character like others', () => {
  const found = read('x@example.com,six" nails\ny@example.com, "z"', { columns: 2 });
  expect(found).toEqual([
    { line: 1, cells: ['x@example.com', 'six" nails'] },
    { line: 2, cells: ['y@example.com', ' "z"'] },
  ]);
});
