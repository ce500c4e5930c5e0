/**
 * MySQL and MariaDB: one query in a transaction that can only read, its rows streamed; while the freezing takes its time the
 * connection is not read, and the server waits. The answer is that of one moment, whatever is written meanwhile.
 */
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { makeScrubber } from '@sendonce/alerts';
import mysql, { type Connection, type PrepareStatementInfo, type QueryError } from 'mysql2';
import { AudienceSourceError } from './audienceSource.js';
import { type DatabaseQuery, type Statement, TIMEOUT_DEFAULT_SECONDS } from './databaseQuery.js';
import type { Column, Database, RowBatch } from './databaseSource.js';
import { binaryTypeOf, type MysqlField, mysqlConverter } from './mysqlValues.js';
import { networkReason } from './networkErrors.js';
import { SilenceWatch } from './silenceWatch.js';

const BATCH_ROWS = 1_000;
/** How long a connection may take, ms. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How long saying good-bye, or ending a query that we gave up, may take, ms. */
const END_TIMEOUT_MS = 2_000;
/**
 * The server ends a query after so long, s: in MySQL and MariaDB that counts the sending too, which waits for the freezing, so
 * it can't be the time-out. A query that is silent is killed by us.
 */
const MAX_QUERY_SECONDS = 14_400;
/** The server's own default, 60, is less than a freezing may be held up when Redis is away, s. */
const NET_WRITE_SECONDS = 600;

/** `ER_…` of errors that another attempt may be spared. */
const TRANSIENT: ReadonlySet<string> = new Set([
  'ER_CON_COUNT_ERROR',
  'ER_CONNECTION_KILLED',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_QUERY_INTERRUPTED',
  'ER_SERVER_SHUTDOWN',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'PROTOCOL_CONNECTION_LOST',
]);

/** Errors that quote names of the query and not data. */
const OF_NAMES =
  /^ER_(PARSE|BAD_|NO_SUCH_|NO_DB|NON_UNIQ|SYNTAX|UNKNOWN_|WRONG_FIELD|ACCESS_DENIED|DBACCESS|TABLEACCESS|COLUMNACCESS|SPECIFIC_ACCESS|SP_DOES_NOT_EXIST|CANT_EXECUTE_IN_READ_ONLY)/;

export class MysqlDatabase implements Database {
  readonly name: string;
  readonly #query: DatabaseQuery;
  readonly #timeoutMs: number;

  constructor(
    query: DatabaseQuery,
    { name, timeoutSeconds = TIMEOUT_DEFAULT_SECONDS }: { name: string; timeoutSeconds?: number | undefined },
  ) {
    this.name = name;
    this.#query = query;
    this.#timeoutMs = timeoutSeconds * 1_000;
  }

  async check(): Promise<void> {
    await this.#prepare();
  }

  async columns(): Promise<Column[]> {
    return (await this.#open()).run(async (connection, { text }) => {
      const prepared = await prepare(connection, text);
      // Not in its types: what the answer will look like.
      const { columns } = prepared as unknown as { columns: MysqlField[] };
      return columns.map(toColumn);
    });
  }

  async *batches(signal?: AbortSignal): AsyncGenerator<RowBatch> {
    yield* (await this.#open()).read(signal);
  }

  async #open(): Promise<Session> {
    const statement = await this.#prepare();
    return new Session(this, this.#query.readUrl(['mysql:', 'mariadb:']), this.#timeoutMs, statement);
  }

  #prepare(): Promise<Statement> {
    // MySQL takes no zone; the session's is UTC.
    return this.#query.prepare('mysql', (name, value) =>
      name === 'scheduled_at' ? value.replace('T', ' ').replace('Z', '') : value,
    );
  }
}

/** One connection, for one query. */
class Session {
  readonly #connection: Connection;
  readonly #silence: SilenceWatch;
  #socket: Socket | undefined;
  #rows: Readable | undefined;
  #isKilled = false;

  constructor(
    private readonly database: Database,
    private readonly url: string,
    private readonly timeoutMs: number,
    private readonly statement: Statement,
  ) {
    this.#connection = mysql.createConnection({
      uri: url.replace(/^mariadb:/, 'mysql:'),
      charset: 'utf8mb4',
      connectTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      dateStrings: true,
      supportBigNumbers: true,
      // Ours, because destroying it ends whatever waits for the server, at any stage.
      stream: ({ config }: { config: { host: string; port: number; socketPath?: string } }) => {
        this.#socket = config.socketPath ? connect(config.socketPath) : connect(config.port, config.host);
        this.#socket.once('close', () => this.#hangUp());
        return this.#socket;
      },
    });
    // A connection that breaks while nobody waits for it is told by the next who does.
    this.#connection.on('error', () => undefined);
    this.#silence = new SilenceWatch(timeoutMs, () => this.#hangUp());
  }

  /** @throws {AudienceSourceError} */
  async run<Result>(
    work: (connection: Connection, statement: Statement) => Promise<Result>,
  ): Promise<Result> {
    try {
      await this.#begin();
      return await this.#silence.during(work(this.#connection, this.statement));
    } catch (error) {
      throw this.#toSourceError(error);
    } finally {
      await this.#end(true);
    }
  }

  /** @throws {AudienceSourceError} */
  async *read(signal?: AbortSignal): AsyncGenerator<RowBatch> {
    const stop = (): void => this.#hangUp();
    signal?.addEventListener('abort', stop);
    let isDone = false;
    try {
      signal?.throwIfAborted();
      await this.#begin();
      yield* this.#batches();
      isDone = true;
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#silence.isSilent ? await this.#afterSilence() : this.#toSourceError(error);
    } finally {
      signal?.removeEventListener('abort', stop);
      await this.#end(isDone);
    }
  }

  async *#batches(): AsyncGenerator<RowBatch> {
    const { text, values } = this.statement;
    const command = this.#connection.execute({ sql: text, values, rowsAsArray: true });
    const stream = command.stream({ highWaterMark: BATCH_ROWS });
    this.#rows = stream;
    let fields: MysqlField[] = [];
    stream.once('fields', (given: MysqlField[]) => {
      fields = given;
    });
    let rows: unknown[][] = [];
    this.#silence.listen();
    for await (const row of stream as AsyncIterable<unknown[]>) {
      this.#silence.listen();
      if (rows.push(row) < BATCH_ROWS) continue;
      this.#silence.rest();
      yield toBatch(fields, rows);
      rows = [];
      this.#silence.listen();
    }
    this.#silence.rest();
    yield toBatch(fields, rows);
  }

  async #begin(): Promise<void> {
    const version = await this.#silence.during(queryOne(this.#connection, 'select version() as version'));
    const isMariaDb = /mariadb/i.test(String(version));
    const limit = isMariaDb
      ? `max_statement_time = ${MAX_QUERY_SECONDS}`
      : `max_execution_time = ${MAX_QUERY_SECONDS * 1_000}`;
    for (const sql of [
      `set session ${limit}, net_write_timeout = ${NET_WRITE_SECONDS}, time_zone = '+00:00'`,
      'set transaction isolation level repeatable read',
      'start transaction with consistent snapshot, read only',
    ])
      await this.#silence.during(queryOne(this.#connection, sql));
  }

  /** A server that takes the order to end the query is alive: it is the query that is slow, and another try would be, too. */
  async #afterSilence(): Promise<AudienceSourceError> {
    const seconds = this.timeoutMs / 1_000;
    if (await this.#kill())
      return this.statement.errorAt(
        undefined,
        `no rows came for ${seconds} s, which is the limit (timeout_seconds)`,
      );
    return this.#transient(`it was silent for ${seconds} s (timeout_seconds)`);
  }

  /** Ends the query on the server, which notices that nobody listens only when it has something to say. */
  async #kill(): Promise<boolean> {
    const { threadId } = this.#connection;
    if (!threadId || this.#isKilled) return this.#isKilled;
    this.#isKilled = await killQuery(this.url, threadId);
    return this.#isKilled;
  }

  async #end(isDone: boolean): Promise<void> {
    this.#silence.rest();
    if (!isDone) await this.#kill();
    const ending = new SilenceWatch(END_TIMEOUT_MS, () => this.#socket?.destroy());
    if (isDone)
      await ending
        .during(new Promise<void>((resolve) => this.#connection.end(() => resolve())))
        .catch(() => undefined);
    this.#connection.destroy();
    this.#socket?.destroy();
  }

  /** Whatever waits for the server fails. The driver does not tell a stream of rows that its connection is gone. */
  #hangUp(): void {
    this.#socket?.destroy();
    this.#rows?.destroy(Object.assign(new Error('hung up'), { code: 'ECONNRESET' }));
  }

  #transient(reason: string): AudienceSourceError {
    return new AudienceSourceError(this.database.name, undefined, reason, { isTransient: true });
  }

  #toSourceError(error: unknown): AudienceSourceError {
    if (error instanceof AudienceSourceError) return error;
    if (this.#silence.isSilent)
      return this.#transient(`it was silent for ${this.timeoutMs / 1_000} s (timeout_seconds)`);
    const network = networkReason(error);
    if (network) return this.#transient(network);
    const { code = '', message, sqlMessage } = error as QueryError & { sqlMessage?: string };
    if (TRANSIENT.has(code)) return this.#transient(`the connection broke (${code})`);
    const text = sqlMessage ?? message;
    const reason = `${withoutValues(code, text)} (${code})`;
    if (!sqlMessage || /ACCESS_DENIED|BAD_DB|HOST_/.test(code))
      return new AudienceSourceError(this.database.name, undefined, reason);
    const [, line] = /at line (\d+)$/.exec(text) ?? [];
    return this.statement.errorAt(line === undefined ? undefined : Number(line), reason);
  }
}

function toBatch(fields: readonly MysqlField[], rows: unknown[][]): RowBatch {
  for (const [index, field] of fields.entries()) {
    const convert = mysqlConverter(field);
    if (convert) for (const row of rows) row[index] = convert(row[index]);
  }
  return { columns: fields.map(toColumn), rows };
}

function toColumn(field: MysqlField): Column {
  const binaryType = binaryTypeOf(field);
  return binaryType ? { name: field.name, binaryType } : { name: field.name };
}

function prepare(connection: Connection, sql: string): Promise<PrepareStatementInfo> {
  return new Promise((resolve, reject) =>
    connection.prepare(sql, (error, statement) => (error ? reject(error) : resolve(statement))),
  );
}

/** The first value of the first row, if there is one. */
function queryOne(connection: Connection, sql: string): Promise<unknown> {
  return new Promise((resolve, reject) =>
    connection.query({ sql, rowsAsArray: true }, (error, rows) =>
      error ? reject(error) : resolve(Array.isArray(rows) ? (rows as unknown[][])[0]?.[0] : undefined),
    ),
  );
}

/** Best effort: MAX_QUERY_SECONDS is behind it. @returns whether the server has done it. */
async function killQuery(uri: string, thread: number): Promise<boolean> {
  const connection = mysql.createConnection({
    uri: uri.replace(/^mariadb:/, 'mysql:'),
    connectTimeout: END_TIMEOUT_MS,
  });
  connection.on('error', () => undefined);
  const killing = new SilenceWatch(END_TIMEOUT_MS, () => connection.destroy());
  const isKilled = await killing.during(queryOne(connection, `kill query ${thread}`)).then(
    () => true,
    () => false,
  );
  connection.destroy();
  return isKilled;
}

/** An error about data quotes them; one about the query quotes its names. */
function withoutValues(code: string, message: string): string {
  return makeScrubber().text(OF_NAMES.test(code) ? message : message.replace(/'[^']*'|"[^"]*"/g, "'…'"));
}
