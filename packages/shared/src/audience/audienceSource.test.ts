import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AudienceRow, openAudience } from './index.js';

type Format = 'csv' | 'ndjson';

function open(format: Format, content: string) {
  const dir = mkdtempSync(join(tmpdir(), 'sendonce-audience-'));
  writeFileSync(join(dir, 'people'), content);
  return openAudience(
    format === 'csv'
      ? { csv: 'people', address_field: 'email' }
      : { ndjson: 'people', address_field: 'email' },
    dir,
  );
}

async function rowsOf(
  format: Format,
  content: string,
  requiredFields: string[] = [],
): Promise<AudienceRow[]> {
  return collect(open(format, content).rows({ requiredFields }));
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** The same people in every format. */
function write(format: Format, people: Record<string, string>[]): string {
  if (format === 'ndjson') return people.map((person) => JSON.stringify(person)).join('\n');
  const names = Object.keys(people[0] ?? {});
  return [names, ...people.map((person) => names.map((name) => person[name] ?? ''))]
    .map((cells) => cells.join(','))
    .join('\n');
}

describe.each<Format>(['csv', 'ndjson'])('the contract of sources: %s', (format) => {
  it('names the fields and streams the rows with their lines', async () => {
    const content = write(format, [
      { email: 'Jane@EXAMPLE.com', 'First name': 'Jane' },
      { email: 'joe@example.com', 'First name': '' },
    ]);
    expect(await open(format, content).fields()).toEqual(['email', 'first_name']);
    const rows = await rowsOf(format, content);
    expect(rows[0]).toEqual({
      line: format === 'csv' ? 2 : 1,
      recipient: {
        address: 'Jane@example.com',
        key: 'jane@example.com',
        fields: { email: 'Jane@EXAMPLE.com', first_name: 'Jane' },
      },
    });
    expect(rows).toHaveLength(2);
  });

  it('reports bad addresses with their line, without the address', async () => {
    const content = write(format, [
      { email: 'good@example.com', n: '1' },
      { email: 'bad@', n: '2' },
      { email: '', n: '3' },
    ]);
    const bad = (await rowsOf(format, content)).filter((row) => 'invalid' in row);
    expect(bad.map(({ line }) => line)).toEqual(format === 'csv' ? [3, 4] : [2, 3]);
    expect(JSON.stringify(bad)).not.toContain('bad@');
  });

  it('accepts a byte order mark and CRLF', async () => {
    const content = `\ufeff${write(format, [{ email: 'a@example.com', n: '1' }]).replaceAll('\n', '\r\n')}\r\n`;
    expect(await open(format, content).fields()).toEqual(['email', 'n']);
    expect((await rowsOf(format, content)).map((row) => 'recipient' in row)).toEqual([true]);
  });

  it('fails as a whole when the file is missing', async () => {
    const source = openAudience(
      format === 'csv' ? { csv: 'none', address_field: 'email' } : { ndjson: 'none', address_field: 'email' },
      '/nowhere',
    );
    await expect(source.fields()).rejects.toThrow('ENOENT');
    await expect(collect(source.rows())).rejects.toThrow('ENOENT');
  });

  it('fails as a whole when nothing holds addresses', async () => {
    await expect(open(format, write(format, [{ mail: 'a@example.com' }])).fields()).rejects.toThrow(
      '"email"',
    );
  });
});

describe('CSV', () => {
  it('has quotes, line breaks in quotes, and the line where a record starts', async () => {
    const rows = await rowsOf(
      'csv',
      'email,note\na@example.com,"two\nlines, and a ""quote"""\nb@example.com,x\n',
    );
    expect(rows.map(({ line }) => line)).toEqual([2, 4]);
    expect(rows[0]).toMatchObject({ recipient: { fields: { note: 'two\nlines, and a "quote"' } } });
  });

  it.each([';', '\t'])('is separated by %j when its header is', async (delimiter) => {
    const rows = await rowsOf('csv', `email${delimiter}note\na@example.com${delimiter}x, y\n`);
    expect(rows[0]).toMatchObject({ recipient: { fields: { note: 'x, y' } } });
  });

  it('goes on after rows with too few or too many columns', async () => {
    const rows = await rowsOf('csv', 'email,a\nx@example.com\ny@example.com,1,2\nz@example.com,1\n');
    expect(rows.map((row) => ('invalid' in row ? row.invalid : 'ok'))).toEqual([
      '1 columns instead of 2',
      '3 columns instead of 2',
      'ok',
    ]);
  });

  it('takes a quote in the middle of a cell as it is', async () => {
    const rows = await rowsOf('csv', 'email,a\nx@example.com,"one" two\ny@example.com,six" nails\n');
    expect(rows).toMatchObject([
      { recipient: { fields: { a: '"one" two' } } },
      { recipient: { fields: { a: 'six" nails' } } },
    ]);
  });

  it('counts every line that a quote swallows which is never closed, and goes on after it', async () => {
    const swallowed = 'x@example.com,"one\ny@example.com,1\nz@example.com,"2"\n';
    const rows = await rowsOf(
      'csv',
      `email,a\n${swallowed}w@example.com,3\nv@example.com,"to the end\nu@example.com,4\n`,
    );
    expect(
      rows.map((row) => ('invalid' in row ? `${row.line}: ${row.invalid}` : row.recipient.address)),
    ).toEqual([
      '2: a quote that is opened in line 2 is never closed',
      '3: a quote that is opened in line 2 is never closed',
      '4: a quote that is opened in line 2 is never closed',
      'w@example.com',
      '6: a quote that is opened in line 6 is never closed',
      '7: a quote that is opened in line 6 is never closed',
    ]);
  });

  it('refuses columns that come to one merge field', async () => {
    await expect(open('csv', 'email,First name,first-name ,FIRST NAME\n').fields()).rejects.toThrow(
      'are the same merge field, first_name',
    );
  });
});

describe('NDJSON', () => {
  it('keeps types, and takes rows without a field that a template needs as invalid', async () => {
    const content =
      '{"email":"a@example.com","n":1,"list":["x"]}\n{"email":"b@example.com","n":null}\n{"email":"c@example.com"}\nnot json\n[]\n';
    const rows = await rowsOf('ndjson', content, ['n']);
    expect(rows[0]).toMatchObject({ recipient: { fields: { n: 1, list: ['x'] } } });
    expect(rows.map((row) => ('invalid' in row ? row.invalid : 'ok'))).toEqual([
      'ok',
      'ok',
      'the field "n" is missing',
      'the line is no JSON object',
      'the line is no JSON object',
    ]);
  });
});
