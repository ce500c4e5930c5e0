/** The contract suite: every source of recipients gives the same answers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AudienceDefinition } from '../campaign/index.js';
import { type AudienceRow, AudienceSourceError, openAudience, type RowOptions } from './index.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'audience-'));
});
afterAll(() => rm(dir, { recursive: true }));

let files = 0;
async function setup(kind: 'csv' | 'ndjson', content: string | Buffer, address_field = 'email') {
  const name = `${files++}.${kind}`;
  await writeFile(join(dir, name), content);
  const definition = { [kind]: name, address_field } as unknown as AudienceDefinition;
  return openAudience(definition, dir);
}

async function rowsOf(source: Awaited<ReturnType<typeof setup>>, options?: RowOptions) {
  const rows: AudienceRow[] = [];
  for await (const row of source.rows(options)) rows.push(row);
  return rows;
}

const invalidIn = (rows: AudienceRow[]) => rows.filter((row) => 'invalid' in row);
const addressesIn = (rows: AudienceRow[]) =>
  rows.flatMap((row) => ('recipient' in row ? [row.recipient.address] : []));

/** The same people for each kind: a header where there is one, then a line a person. */
const writers = {
  csv: (rows: Record<string, string>[]) => {
    const names = Object.keys(rows[0] ?? {});
    const quote = (text = '') => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return [names.join(','), ...rows.map((row) => names.map((name) => quote(row[name])).join(',')), ''].join(
      '\n',
    );
  },
  ndjson: (rows: Record<string, string>[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
};

describe.each([
  { kind: 'csv' as const, firstLine: 2, broken: 'x@example.com,too,many' },
  { kind: 'ndjson' as const, firstLine: 1, broken: '{"email": "x@example.com"' },
])('every source: $kind', ({ kind, firstLine, broken }) => {
  const write = writers[kind];
  const jane = { Email: 'Jane@EXAMPLE.com', 'First name': 'Zoë, "the" one' };
  const people = Array.from({ length: 5_000 }, (_, i) => ({ email: `p${i}@example.com`, name: `N ${i}` }));

  test('has merge fields in lower case, without characters that Liquid does not know', async () => {
    const source = await setup(kind, write([{ ...jane, ' E-Mail 2 ': '', 'Größe (cm)': '', empty: '' }]));
    expect(await source.fields()).toEqual(['email', 'first_name', 'e-mail_2', 'größe_cm', 'empty_']);
  });

  test('normalises addresses and keeps them apart from the key they are compared by', async () => {
    const rows = await rowsOf(await setup(kind, write([jane])));
    expect(rows).toEqual([
      {
        line: firstLine,
        recipient: {
          address: 'Jane@example.com',
          key: 'jane@example.com',
          fields: { email: 'Jane@EXAMPLE.com', first_name: 'Zoë, "the" one' },
        },
      },
    ]);
  });

  test('streams a file that is larger than a chunk, in order, with lines', async () => {
    const rows = await rowsOf(await setup(kind, write(people)));
    expect(addressesIn(rows)).toEqual(people.map(({ email }) => email));
    expect(rows.map(({ line }) => line)).toEqual(people.map((_, i) => i + firstLine));
  });

  test('passes over bad rows with their line and a reason that does not hold the address', async () => {
    const lines = write(people.slice(0, 4)).split('\n');
    const secret = 'se cret@example.com';
    lines.splice(firstLine, 0, broken, '');
    const source = await setup(kind, lines.join('\n').replace('p2@example.com', secret));
    const rows = await rowsOf(source);
    expect(addressesIn(rows)).toEqual(['p0@example.com', 'p1@example.com', 'p3@example.com']);
    expect(invalidIn(rows).map(({ line }) => line)).toEqual([firstLine + 1, firstLine + 4]);
    expect(JSON.stringify(invalidIn(rows))).not.toContain('cret');
  });

  test('a row without a required field is invalid', async () => {
    const rows = await rowsOf(await setup(kind, write([jane])), { requiredFields: ['email', 'nick'] });
    expect(rows).toEqual([{ line: firstLine, invalid: 'lacks the field "nick"' }]);
  });

  test('takes the addresses from the field that it is told, however that is written', async () => {
    const source = await setup(kind, write([{ 'E-Mail Address': 'jane@example.com' }]), 'E-Mail Address');
    expect(addressesIn(await rowsOf(source))).toEqual(['jane@example.com']);
  });

  test('takes a byte order mark, CRLF, and a last line without an end', async () => {
    const text = `\ufeff${write(people.slice(0, 3)).trimEnd().replaceAll('\n', '\r\n')}`;
    const rows = await rowsOf(await setup(kind, text));
    expect(addressesIn(rows)).toHaveLength(3);
    expect(invalidIn(rows)).toEqual([]);
  });

  test('a row that is no UTF-8 is invalid instead of garbled', async () => {
    const text = write([...people.slice(0, 2), { email: 'z@example.com', name: 'Zoë' }]);
    const rows = await rowsOf(await setup(kind, Buffer.from(text, 'latin1')));
    expect(invalidIn(rows)).toEqual([{ line: firstLine + 2, invalid: 'the row is no UTF-8' }]);
  });

  test('a line of more than a million characters is invalid, and the next one is read', async () => {
    const text = write([
      { email: 'a@example.com', name: 'x'.repeat(3_000_000) },
      { email: 'b@example.com', name: 'B' },
    ]);
    const rows = await rowsOf(await setup(kind, text));
    expect(addressesIn(rows)).toEqual(['b@example.com']);
    expect(invalidIn(rows).map(({ line }) => line)).toEqual([firstLine]);
  });

  test('stops when it is told to', async () => {
    const abort = new AbortController();
    const source = await setup(kind, write(Array.from({ length: 30 }, () => people).flat()));
    const read = async () => {
      for await (const { line } of source.rows({ signal: abort.signal })) if (line === 10) abort.abort();
    };
    await expect(read()).rejects.toThrow('aborted');
  });

  test('can be read again, from the start', async () => {
    const source = await setup(kind, write(people));
    for await (const row of source.rows()) if (row.line > 10) break;
    expect(await rowsOf(source)).toHaveLength(people.length);
  });

  test.each([
    ['nothing in it', ''],
    ['UTF-16', Buffer.from('\ufeffemail,name\n', 'utf16le')],
    ['another column of addresses', 'mail,name\njane@example.com,Jane\n'],
  ])('with %s is an error that names the file', async (_, content) => {
    const text =
      typeof content === 'string' && kind === 'ndjson' ? content.replace(/.+/s, '{"mail":"a"}') : content;
    const source = await setup(kind, text);
    await expect(source.fields()).rejects.toThrow(AudienceSourceError);
    await expect(source.fields()).rejects.toThrow(`.${kind}`);
  });

  test('that is missing is an error', async () => {
    const source = openAudience({ [kind]: 'none', address_field: 'email' } as never, dir);
    await expect(source.fields()).rejects.toThrow('there is no such file');
    await expect(rowsOf(source)).rejects.toThrow('there is no such file');
  });
});

describe('csv', () => {
  test.each([',', ';', '\t'])('finds out by the header that %j separates', async (delimiter) => {
    const table = [
      ['email', '"na,me;\t"', 'x'],
      ['jane@example.com', '"a,b;c\td"', '1'],
    ];
    const source = await setup('csv', table.map((row) => row.join(delimiter)).join('\n'));
    const [row] = await rowsOf(source);
    expect(row).toMatchObject({ recipient: { fields: { na_me: 'a,b;c\td', x: '1' } } });
  });

  test('counts physical lines, through line breaks in cells and empty lines', async () => {
    const text = 'email,note\r\n\r\na@example.com,"1\r\n2\r\n3"\r\nb@example.com,x\r\n';
    const rows = await rowsOf(await setup('csv', text));
    expect(rows.map(({ line }) => line)).toEqual([3, 6]);
    expect(rows[0]).toMatchObject({ recipient: { fields: { note: '1\n2\n3' } } });
  });

  test('goes on after rows with too few or too many columns', async () => {
    const text = 'email,a\nx@example.com\ny@example.com,1,2\nz@example.com,1\n';
    const rows = await rowsOf(await setup('csv', text));
    expect(rows.map((row) => ('invalid' in row ? row.invalid : 'ok'))).toEqual([
      '1 columns instead of 2',
      '3 columns instead of 2',
      'ok',
    ]);
  });

  test('a quote that is never closed costs its own line, and nobody after it', async () => {
    const text =
      'email,a\nx@example.com,"one\ny@example.com,1\nz@example.com,"2"\nw@example.com,3\nv@example.com,"end\n';
    const rows = await rowsOf(await setup('csv', text));
    expect(invalidIn(rows).map(({ line }) => line)).toEqual([2, 6]);
    expect(addressesIn(rows)).toEqual(['y@example.com', 'z@example.com', 'w@example.com']);
  });

  test('columns that come to the same merge field are an error', async () => {
    const source = await setup('csv', 'email,First name,first-name,FIRST NAME\n');
    await expect(source.fields()).rejects.toThrow(
      'the columns "First name" and "FIRST NAME" are the same merge field, first_name',
    );
  });
});

describe('ndjson', () => {
  test('keeps the types of values', async () => {
    const source = await setup(
      'ndjson',
      '{"email":"a@example.com","n":1,"tags":["a"],"o":{"K":null},"b":true}\n',
    );
    expect(await rowsOf(source)).toMatchObject([
      { recipient: { fields: { n: 1, tags: ['a'], o: { K: null }, b: true } } },
    ]);
  });

  test('has the fields of the first hundred rows together', async () => {
    const rows = Array.from({ length: 101 }, (_, i) => ({ email: 'a@example.com', [`f${i}`]: 1 }));
    const fields = await (await setup('ndjson', rows.map((row) => JSON.stringify(row)).join('\n'))).fields();
    expect(fields).toHaveLength(101);
    expect(fields).not.toContain('f100');
  });

  test.each([
    ['{"email": 5}', 'the field "email" is no text'],
    ['{"name": "x"}', 'lacks the field "email"'],
    ['[1]', 'the line is no JSON object'],
    ['null', 'the line is no JSON object'],
    ['{"email":"a@example.com","a b":1,"A B":2}', 'two keys are the same merge field, "a_b"'],
  ])('%s is invalid: %s', async (line, invalid) => {
    const rows = await rowsOf(await setup('ndjson', `${line}\n`));
    expect(rows).toEqual([{ line: 1, invalid }]);
  });
});
