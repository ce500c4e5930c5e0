/** What databases do beyond the contract: types, errors, parameters, and servers that are away, slow or silent. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../../scripts/bootstrap/redis.mjs';
import type { AudienceDefinition } from '../campaign/index.js';
import { decodeRecipients, encodeRecipients } from '../ledger/index.js';
import { MariadbServer, mariadbObstacle, PostgresServer, postgresObstacle } from '../testing/index.js';
import { type AudienceRow, type AudienceSource, openAudience } from './index.js';

const baseDir = mkdtempSync(join(tmpdir(), 'audience-'));
const occasion = {
  campaign: 'news',
  run: 'news--20261124T100000Z',
  scheduledAt: new Date('2026-11-24T10:00:00Z'),
};

type Kind = 'postgres' | 'mysql';
const VARIABLES = { postgres: 'DATABASES_POSTGRES', mysql: 'DATABASES_MYSQL' };

function open(kind: Kind, query: string, settings: object = {}): AudienceSource {
  const database = { url_env: VARIABLES[kind], query, ...settings };
  return openAudience({ [kind]: database, address_field: 'email' } as unknown as AudienceDefinition, {
    baseDir,
    occasion,
  });
}

async function rowsOf(source: AudienceSource): Promise<AudienceRow[]> {
  const rows: AudienceRow[] = [];
  for await (const row of source.rows()) rows.push(row);
  return rows;
}

/** The merge fields of the only row, as templates get them: out of a chunk. */
async function fieldsOf(kind: Kind, columns: string): Promise<Record<string, unknown> | undefined> {
  const [row] = await rowsOf(open(kind, `select 'a@example.com' as email, ${columns}`));
  if (!row || 'invalid' in row) throw new Error(row?.invalid);
  const [decoded] = await decodeRecipients(encodeRecipients([row.recipient]));
  const { email: _, ...fields } = decoded?.fields ?? {};
  return fields;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as Error & { isTransient?: boolean },
  );

/** Servers take a moment to notice that somebody has gone. */
const PATIENTLY = { timeout: 20_000 };

const isCi = Boolean(process.env.CI);
const title = (name: string, obstacle: string | undefined) => (obstacle ? `${name}: ${obstacle}` : name);

describe.skipIf(postgresObstacle && !isCi)(title('PostgreSQL', postgresObstacle), () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start(await freePort());
    process.env[VARIABLES.postgres] = server.url;
  });
  afterAll(() => server.stop());

  it('keeps types: exact numbers, times in UTC, days as days, arrays, JSON, truth and null', async () => {
    const columns = `1::int as i, 12::bigint as b, 9007199254740993::bigint as big, 12.50::numeric as n, 0.5::float8 as f,
      'NaN'::float8 as nan, true as t, null::text as nothing, '2026-11-24'::date as day, 'x'::char(3) as padded,
      '2026-11-24 11:00:00.5+01'::timestamptz as at, '2026-11-24 10:00'::timestamp as local,
      'infinity'::timestamptz as forever, '{"a": [1, null]}'::jsonb as j, array['a b', null]::text[] as texts,
      array[1, 9007199254740993]::bigint[] as numbers, array[false] as truths,
      array['2026-11-24 10:00+00'::timestamptz] as times, 'b1b4f6f0-0000-4000-8000-000000000000'::uuid as id`;
    expect(await fieldsOf('postgres', columns)).toEqual({
      i: 1,
      b: 12,
      big: '9007199254740993',
      n: '12.50',
      f: 0.5,
      nan: 'NaN',
      t: true,
      nothing: null,
      day: '2026-11-24',
      padded: 'x  ',
      at: '2026-11-24T10:00:00.5Z',
      local: '2026-11-24T10:00:00Z',
      forever: 'infinity',
      j: { a: [1, null] },
      texts: ['a b', null],
      numbers: [1, '9007199254740993'],
      truths: [false],
      times: ['2026-11-24T10:00:00Z'],
      id: 'b1b4f6f0-0000-4000-8000-000000000000',
    });
  });

  it('refuses bytes by the name of their column', async () => {
    const source = open('postgres', "select 'a@example.com' as email, ''::bytea as photo");
    const reason =
      'the column "photo" is bytea, bytes that no mail can show: leave it out, or make it a text';
    await expect(source.fields()).rejects.toThrow(reason);
    await expect(rowsOf(source)).rejects.toThrow(reason);
  });

  it('asks for the occasion by name, as values of their types', async () => {
    const query = `select :campaign || '@example.com' as email, :run as run, :scheduled_at - interval '1 day' as before,
      ':run' as text where :scheduled_at = '2026-11-24 10:00+00' -- :run
      ;`;
    expect(await open('postgres', query).fields()).toEqual(['email', 'run', 'before', 'text']);
    expect(await rowsOf(open('postgres', query))).toMatchObject([
      { recipient: { fields: { run: occasion.run, before: '2026-11-23T10:00:00Z', text: ':run' } } },
    ]);
  });

  it('says in which line of the file a query is wrong, and what the database says', async () => {
    const query_file = 'audience.sql';
    const write = (sql: string) => writeFileSync(join(baseDir, query_file), sql);
    const source = open('postgres', '', { query: undefined, query_file });
    await expect(source.check?.()).rejects.toThrow('audience.sql: there is no such file');
    write('select email\nfrom (select 1 as é) x\nwhere :scheduled_at is not null\n  and emial = 1');
    for (const error of [await failure(source.fields()), await failure(rowsOf(source))])
      expect(error).toMatchObject({ file: join(baseDir, query_file), isTransient: false });
    write("select 'a' as email,\n  :scheduled_at as é,\n  lost");
    expect((await failure(source.fields()))?.message).toMatch(
      /audience\.sql:3: PostgreSQL \(DATABASES_POSTGRES\): column "lost" does not exist \(42703\)$/,
    );
    expect((await failure(rowsOf(source)))?.message).toMatch(/audience\.sql:3: /);
    await expect(rowsOf(open('postgres', 'select 1 as email\nfro x'))).rejects.toThrow(
      'line 2 of the query: ',
    );
  });

  it('changes nothing, though the query would', async () => {
    await server.query('create table people (email text)');
    const write = "insert into people values ('a@example.com') returning email";
    await expect(rowsOf(open('postgres', write))).rejects.toThrow(
      'cannot execute INSERT in a read-only transaction (25006)',
    );
    expect(await server.query('select * from people')).toEqual([]);
  });

  it('never shows values of rows, addresses or the password in errors', async () => {
    const query = `select ('jane@example.com, Jane Doe' || g)::int as email from generate_series(1, 3) g`;
    const error = await failure(rowsOf(open('postgres', query)));
    expect(error?.message).toContain('invalid input syntax for type integer: "…" (22P02)');
    expect(`${error?.stack} ${JSON.stringify(error)}`).not.toMatch(/jane|hidden-password/i);
  });

  it('names the variable that is not set, or holds no URL, and never what it holds', async () => {
    const source = open('postgres', 'select 1', { url_env: 'NOT_SET' });
    await expect(source.check?.()).resolves.toBeUndefined();
    await expect(source.fields()).rejects.toThrow('the variable NOT_SET is not set here (nor NOT_SET_FILE)');
    process.env.NO_URL = 'secret-host/db';
    const error = await failure(rowsOf(open('postgres', 'select 1', { url_env: 'NO_URL' })));
    expect(error?.message).toContain('NO_URL is no URL that starts with postgres:// or postgresql://');
    expect(error?.message).not.toContain('secret-host');
  });

  it('reads the URL from a file, as secrets are handed to containers', async () => {
    const file = join(baseDir, 'url');
    writeFileSync(file, `${server.url}\n`);
    process.env.FROM_FILE_FILE = file;
    const source = open('postgres', "select 'a@example.com' as email", { url_env: 'FROM_FILE' });
    expect(await rowsOf(source)).toHaveLength(1);
  });

  it('gives up on a query that is slow before its first row, and in the middle', async () => {
    const slow = "select 'a@example.com' as email from pg_sleep(30)";
    await expect(rowsOf(open('postgres', slow, { timeout_seconds: 1 }))).rejects.toThrow(
      'no rows came for 1 s, which is the limit (timeout_seconds)',
    );
    const middle = `select 'p' || g || '@example.com' as email from generate_series(1, 2000) g
      where g < 1500 or pg_sleep(30) is not null`;
    const rows: AudienceRow[] = [];
    const read = async () => {
      for await (const row of open('postgres', middle, { timeout_seconds: 1 }).rows()) rows.push(row);
    };
    await expect(read()).rejects.toThrow('timeout_seconds');
    expect(rows).toHaveLength(1_000);
    await expect
      .poll(
        () =>
          server.query(
            "select 1 from pg_stat_activity where query like '%pg_sleep(30)%' and pid <> pg_backend_pid()",
          ),
        PATIENTLY,
      )
      .toEqual([]);
  });

  it('leaves nothing open, also when nobody reads to the end', async () => {
    const source = open('postgres', "select g || '@example.com' as email from generate_series(1, 100000) g");
    for await (const row of source.rows()) if (row.line === 10) break;
    await expect
      .poll(
        () => server.query("select 1 from pg_stat_activity where application_name = 'sendonce'"),
        PATIENTLY,
      )
      .toEqual([]);
  });

  it('is away for a moment when it is stopped, also in the middle of an answer', async () => {
    const source = open('postgres', "select g || '@example.com' as email from generate_series(1, 100000) g");
    const read = async () => {
      for await (const row of source.rows()) if (row.line === 10) await server.halt();
    };
    expect(await failure(read())).toMatchObject({ isTransient: true });
    expect(await failure(source.fields())).toMatchObject({
      isTransient: true,
      reason: 'the connection is refused',
    });
    await server.resume();
    expect(await source.fields()).toEqual(['email']);
  });

  it('is away for a moment when it takes connections and says nothing', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    process.env.SILENT = `postgres://app@127.0.0.1:${(silent.address() as AddressInfo).port}/x`;
    const error = await failure(
      rowsOf(open('postgres', 'select 1', { url_env: 'SILENT', timeout_seconds: 1 })),
    );
    expect(error).toMatchObject({ isTransient: true, reason: 'the connection timed out' });
    silent.close();
  });
});

describe.skipIf(mariadbObstacle && !isCi)(title('MariaDB', mariadbObstacle), () => {
  let server: MariadbServer;
  beforeAll(async () => {
    server = await MariadbServer.start(await freePort());
    process.env[VARIABLES.mysql] = server.url;
  });
  afterAll(() => server.stop());

  it('keeps types: exact numbers, times in UTC, days as days, JSON, truth and null', async () => {
    await server.query(`create table typed (i int, b bigint, big bigint, n decimal(9,2), f double, t boolean, nothing text,
      day date, at datetime(3), stamp timestamp, never varchar(30), j json)`);
    await server.query(`insert into typed values (1, 12, 9007199254740993, 12.50, 0.5, true, null, '2026-11-24',
      '2026-11-24 10:00:00.500', from_unixtime(1795514400), 'x', '{"a": [1, null]}')`);
    expect(await fieldsOf('mysql', '`typed`.* from typed')).toEqual({
      i: 1,
      b: 12,
      big: '9007199254740993',
      n: '12.50',
      f: 0.5,
      t: true,
      nothing: null,
      day: '2026-11-24',
      at: '2026-11-24T10:00:00.500Z',
      stamp: new Date(1_795_514_400_000).toISOString().replace('.000', ''),
      never: 'x',
      j: { a: [1, null] },
    });
  });

  it('refuses bytes by the name of their column', async () => {
    await server.query('create table photos (email varchar(20), photo blob)');
    const source = open('mysql', 'select * from photos');
    const reason =
      'the column "photo" is binary, bytes that no mail can show: leave it out, or make it a text';
    await expect(source.fields()).rejects.toThrow(reason);
    await expect(rowsOf(source)).rejects.toThrow(reason);
  });

  it('asks for the occasion by name, as values of their types', async () => {
    const query = `select concat(:campaign, '@example.com') as email, :run as run,
      :scheduled_at - interval 1 day as day_before, ':run ?' as text from dual
      where :scheduled_at = '2026-11-24 10:00' # :run
      ;`;
    expect(await open('mysql', query).fields()).toEqual(['email', 'run', 'day_before', 'text']);
    expect(await rowsOf(open('mysql', query))).toMatchObject([
      {
        recipient: {
          fields: {
            run: occasion.run,
            day_before: expect.stringMatching(/^2026-11-23T10:00:00(.000)?Z$/),
            text: ':run ?',
          },
        },
      },
    ]);
  });

  it('says in which line of the query something is wrong, without values of rows', async () => {
    await expect(rowsOf(open('mysql', "select 'a' as email\nfro x\nwhere 1"))).rejects.toThrow(
      /line 2 of the query: You have an error in your SQL syntax/,
    );
    await expect(open('mysql', 'select emial from photos').fields()).rejects.toThrow(
      /Unknown column 'emial' in '.*' \(ER_BAD_FIELD_ERROR\)$/,
    );
    const error = await failure(
      rowsOf(open('mysql', "select exp(length('jane@example.com') * 100) as email")),
    );
    expect(error?.message).toContain('out of range');
    expect(error?.message).not.toMatch(/jane|hidden-password/);
  });

  it('changes nothing, though the query would', async () => {
    await expect(rowsOf(open('mysql', "insert into photos values ('a@example.com', null)"))).rejects.toThrow(
      'Cannot execute statement in a READ ONLY transaction',
    );
    expect(await server.query('select * from photos')).toEqual([]);
  });

  it('gives up on a query that is silent, and ends it on the server', async () => {
    const source = open('mysql', "select 'a@example.com' as email from (select sleep(30)) x", {
      timeout_seconds: 1,
    });
    expect(await failure(rowsOf(source))).toMatchObject({
      isTransient: false,
      reason: 'no rows came for 1 s, which is the limit (timeout_seconds)',
    });
    await expect
      .poll(
        () =>
          server.query(
            "select id from information_schema.processlist where info like '%sleep(30)%' and id <> connection_id()",
          ),
        PATIENTLY,
      )
      .toEqual([]);
  });

  it('waits with its rows while they are not read', async () => {
    const source = open(
      'mysql',
      `select concat(seq, '@example.com') as email, repeat('x', 1000) as filler from seq_1_to_200000`,
    );
    for await (const row of source.rows()) {
      if (row.line < 10) continue;
      await expect
        .poll(
          () =>
            server.query(
              "select state from information_schema.processlist where info like '%seq_1_to_200000' and id <> connection_id()",
            ),
          PATIENTLY,
        )
        .toEqual([{ state: expect.stringMatching(/Writing to net|Sending data/) }]);
      break;
    }
  });

  it('is away for a moment when the connection is cut or refused', async () => {
    const source = open(
      'mysql',
      `select concat(seq, '@example.com') as email, repeat('x', 1000) as filler from seq_1_to_200000`,
    );
    const read = async () => {
      for await (const row of source.rows()) if (row.line === 10) await server.stop();
    };
    expect(await failure(read())).toMatchObject({ isTransient: true });
    expect(await failure(source.fields())).toMatchObject({
      isTransient: true,
      reason: 'the connection is refused',
    });
  });
});
