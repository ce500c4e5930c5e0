/** The contract suite: every source of recipients gives the same answers. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../../scripts/bootstrap/redis.mjs';
import type { AudienceDefinition } from '../campaign/index.js';
import { MariadbServer, mariadbObstacle, PostgresServer, postgresObstacle } from '../testing/index.js';
import {
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  openAudience,
  type RowOptions,
} from './index.js';

type Rows = Record<string, string>[];
type Extra = { address_field?: string; where?: string; max_rows?: number };
type TextKind = 'csv' | 'ndjson' | 'http csv' | 'http ndjson';

const occasion = {
  campaign: 'news',
  run: 'news--20261124T100000Z',
  scheduledAt: new Date('2026-11-24T10:00:00Z'),
};

const isCi = Boolean(process.env.CI);
let dir: string;
let web: Server;
let postgres: PostgresServer | undefined;
let mariadb: MariadbServer | undefined;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'audience-'));
  web = createServer(async (request, response) => {
    const file = await readFile(join(dir, basename(request.url ?? ''))).catch(() => undefined);
    const type = request.url?.endsWith('csv') ? 'text/csv; charset=utf-8' : 'application/x-ndjson';
    response
      .writeHead(file ? 200 : 404, { 'content-type': type, 'content-length': file?.length ?? 0 })
      .end(file);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  [postgres, mariadb] = await Promise.all([
    postgresObstacle && !isCi ? undefined : PostgresServer.start(await freePort()),
    mariadbObstacle && !isCi ? undefined : MariadbServer.start(await freePort()),
  ]);
  process.env.CONTRACT_POSTGRES = postgres?.url;
  process.env.CONTRACT_MYSQL = mariadb?.url;
});
afterAll(async () => {
  await Promise.all([postgres?.stop(), mariadb?.stop()]);
  await new Promise((resolve) => web.close(resolve));
  await rm(dir, { recursive: true });
});

function open(source: object, { address_field = 'email', ...extra }: Extra = {}): AudienceSource {
  const definition = { ...source, address_field, ...extra } as unknown as AudienceDefinition;
  return openAudience(definition, { baseDir: dir, occasion });
}

let files = 0;
/** A source of a text, as it is. */
async function setup(kind: TextKind, content: string | Buffer, extra: Extra = {}) {
  const format = kind.split(' ').at(-1) as 'csv' | 'ndjson';
  const name = `${files++}.${format}`;
  await writeFile(join(dir, name), content);
  const { port } = web.address() as AddressInfo;
  const isWeb = kind.startsWith('http');
  return open(isWeb ? { http: { url: `http://127.0.0.1:${port}/${name}` } } : { [kind]: name }, extra);
}

async function rowsOf(source: AudienceSource, options?: RowOptions) {
  const rows: AudienceRow[] = [];
  for await (const row of source.rows(options)) rows.push(row);
  return rows;
}

const invalidIn = (rows: AudienceRow[]) => rows.filter((row) => 'invalid' in row);
const addressesIn = (rows: AudienceRow[]) =>
  rows.flatMap((row) => ('recipient' in row ? [row.recipient.address] : []));

/** The same people for each kind: a header where there is one, then a line a person. */
const writers = {
  csv: (rows: Rows) => {
    const names = Object.keys(rows[0] ?? {});
    const quote = (text = '') => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return [names.join(','), ...rows.map((row) => names.map((name) => quote(row[name])).join(',')), ''].join(
      '\n',
    );
  },
  ndjson: (rows: Rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
};

const fromText = (kind: TextKind) => (rows: Rows, extra?: Extra) =>
  setup(kind, writers[kind.endsWith('csv') ? 'csv' : 'ndjson'](rows), extra);

async function fromPostgres(rows: Rows, extra?: Extra) {
  const table = `t${files++}`;
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name) => `"${name}"`).join(', ');
  await postgres?.query(`create table ${table} (n serial, ${columns.replaceAll('",', '" text,')} text)`);
  await postgres?.query(
    `insert into ${table} (${columns}) select ${names.map((name) => `r->>'${name}'`).join(', ')} from json_array_elements($1::json) r`,
    [JSON.stringify(rows)],
  );
  const query = `select ${columns} from ${table} order by n;`;
  return open({ postgres: { url_env: 'CONTRACT_POSTGRES', query } }, extra);
}

async function fromMysql(rows: Rows, extra?: Extra) {
  const table = `t${files++}`;
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name) => `\`${name}\``).join(', ');
  await mariadb?.query(
    `create table ${table} (n int primary key auto_increment, ${columns.replaceAll('`,', '` text,')} text) charset utf8mb4`,
  );
  await mariadb?.query(`insert into ${table} (${columns}) values ?`, [
    rows.map((row) => names.map((name) => row[name])),
  ]);
  const query = `select ${columns} from ${table} order by n;`;
  return open({ mysql: { url_env: 'CONTRACT_MYSQL', query } }, extra);
}

const TEXTS = [
  { kind: 'csv' as const, firstLine: 2, broken: 'x@example.com,too,many' },
  { kind: 'ndjson' as const, firstLine: 1, broken: '{"email": "x@example.com"' },
  { kind: 'http csv' as const, firstLine: 2, broken: 'x@example.com,too,many' },
  { kind: 'http ndjson' as const, firstLine: 1, broken: '{"email": "x@example.com"' },
];

const people = Array.from({ length: 5_000 }, (_, i) => ({ email: `p${i}@example.com`, name: `N ${i}` }));
const jane = { Email: 'Jane@EXAMPLE.com', 'First name': 'Zoë, "the" one' };

describe.each([
  ...TEXTS.map(({ kind, firstLine }) => ({ kind, firstLine, make: fromText(kind), obstacle: undefined })),
  { kind: 'postgres', firstLine: 1, make: fromPostgres, obstacle: postgresObstacle },
  { kind: 'mysql', firstLine: 1, make: fromMysql, obstacle: mariadbObstacle },
])('every source: $kind', ({ firstLine, make, obstacle }) => {
  const it = test.skipIf(obstacle && !isCi);

  it('has merge fields in lower case, without characters that Liquid does not know', async () => {
    const source = await make([{ ...jane, ' E-Mail 2': '', 'Größe (cm)': '', empty: '' }]);
    expect(await source.fields()).toEqual(['email', 'first_name', 'e-mail_2', 'größe_cm', 'empty_']);
  });

  it('normalises addresses and keeps them apart from the key they are compared by', async () => {
    expect(await rowsOf(await make([jane]))).toEqual([
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

  it('streams more than is read at once, in order, with lines', async () => {
    const rows = await rowsOf(await make(people));
    expect(addressesIn(rows)).toEqual(people.map(({ email }) => email));
    expect(rows.map(({ line }) => line)).toEqual(people.map((_, i) => i + firstLine));
  });

  it('passes over bad addresses with their line and a reason that does not hold them', async () => {
    const rows = await rowsOf(await make([...people.slice(0, 2), { email: 'se cret@x.y', name: '' }]));
    expect(addressesIn(rows)).toEqual(['p0@example.com', 'p1@example.com']);
    expect(invalidIn(rows)).toEqual([{ line: firstLine + 2, invalid: expect.not.stringContaining('cret') }]);
  });

  it('has only the rows for which where holds, and counts nothing else', async () => {
    const rows = [
      { email: 'a@example.com', plan: 'pro', city: 'Bonn' },
      { email: 'no address', plan: 'free', city: 'Bonn' },
      { email: 'c@example.com', plan: 'pro', city: '' },
      { email: 'd@example.com', plan: 'pro', city: 'Kiel' },
    ];
    const source = await make(rows, { where: 'plan == "pro" and city != ""' });
    expect(await source.fields()).toEqual(['email', 'plan', 'city']);
    expect(await rowsOf(source)).toMatchObject([
      { line: firstLine, recipient: { address: 'a@example.com' } },
      { line: firstLine + 3, recipient: { address: 'd@example.com' } },
    ]);
  });

  it('a row without a field that where asks for is invalid', async () => {
    const rows = await rowsOf(await make([jane], { where: 'plan == "pro"' }));
    expect(rows).toEqual([{ line: firstLine, invalid: 'lacks the field "plan", which where asks for' }]);
  });

  it('has at most so many rows, with those that where passes over', async () => {
    expect(await rowsOf(await make(people, { max_rows: people.length }))).toHaveLength(people.length);
    const source = await make(people, { max_rows: 100, where: 'name == "N 3"' });
    await expect(rowsOf(source)).rejects.toThrow('it has more than 100 rows, which is the limit (max_rows)');
  });

  it('a row without a required field is invalid', async () => {
    const rows = await rowsOf(await make([jane]), { requiredFields: ['email', 'nick'] });
    expect(rows).toEqual([{ line: firstLine, invalid: 'lacks the field "nick"' }]);
  });

  it('takes the addresses from the field that it is told, however that is written', async () => {
    const source = await make([{ 'E-Mail Address': 'jane@example.com' }], {
      address_field: 'E-Mail Address',
    });
    expect(addressesIn(await rowsOf(source))).toEqual(['jane@example.com']);
  });

  it('says which fields there are when the one with the addresses is missing', async () => {
    const source = await make([{ mail: 'jane@example.com', name: 'Jane' }]);
    await expect(source.fields()).rejects.toThrow(/"email".* are mail, name/);
    await expect(source.fields()).rejects.toThrow(AudienceSourceError);
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    const source = await make(Array.from({ length: 10 }, () => people).flat());
    const read = async () => {
      for await (const { line } of source.rows({ signal: abort.signal })) if (line === 10) abort.abort();
    };
    await expect(read()).rejects.toThrow('aborted');
  });

  it('can be read again, from the start', async () => {
    const source = await make(people);
    for await (const row of source.rows()) if (row.line > 10) break;
    expect(await rowsOf(source)).toHaveLength(people.length);
  });
});

describe.each(TEXTS)('every text: $kind', ({ kind, firstLine, broken }) => {
  const write = writers[kind.endsWith('csv') ? 'csv' : 'ndjson'];

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

  test.each([
    ['nothing in it', ''],
    ['UTF-16', Buffer.from('\ufeffemail,name\n', 'utf16le')],
  ])('with %s is an error that names the source', async (_, content) => {
    const source = await setup(kind, content);
    await expect(source.fields()).rejects.toThrow(AudienceSourceError);
    await expect(source.fields()).rejects.toThrow(kind.startsWith('http') ? 'HTTP (127.0.0.1' : `.${kind}`);
  });
});

test.each(['csv', 'ndjson'])('a file (%s) that is missing is an error', async (kind) => {
  const source = open({ [kind]: 'none' });
  await expect(source.fields()).rejects.toThrow('there is no such file');
  await expect(rowsOf(source)).rejects.toThrow('there is no such file');
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
