/**
 * PostgreSQL: one query in a transaction that can only read, through a cursor, so that no more than a batch of rows is in
 * memory while the freezing takes its time. The answer is that of one moment, whatever is written meanwhile.
 *
 * pg-cursor and not pg-query-stream, which is a stream of single rows over it: batches are what is pulled, one at a time and
 * when it is wanted.
 */
import { Socket } from 'node:net';
import { makeScrubber } from '@sendonce/alerts';
import pg from 'pg';
import Cursor from 'pg-cursor';
import { AudienceSourceError } from './audienceSource.js';
import { type DatabaseQuery, type Statement, TIMEOUT_DEFAULT_SECONDS } from './databaseQuery.js';
import type { Column, Database, RowBatch } from './databaseSource.js';
import { networkReason } from './networkErrors.js';
import { binaryTypeOf, postgresParser } from './postgresValues.js';
import { SilenceWatch } from './silenceWatch.js';

/** Rows that are fetched at once: 1,000 cost no more time than 5,000, and a fifth of the memory. */
const BATCH_ROWS = 1_000;
/** How long a connection may take, ms. */
const CONNECT_TIMEOUT_MS = 10_000;
/** How long saying good-bye may take, ms. */
const END_TIMEOUT_MS = 2_000;
/** The server ends the transaction of a worker that is frozen: an open snapshot keeps it from cleaning up, ms. */
const IDLE_TRANSACTION_MS = 600_000;
/** The server's own error says more than ours, so it comes first, ms. */
const SERVER_FIRST_MS = 5_000;

const types = { getTypeParser: (oid: number) => postgresParser(oid) } as pg.CustomTypesConfig;

export class PostgresDatabase implements Database {
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
    const statement = await this.#prepare();
    // On the query's own first line, so that the lines of errors are right.
    const text = `select * from (${statement.text}\n) as audience limit 0`;
    const session = new Session(
      this,
      this.#readUrl(),
      this.#timeoutMs,
      statement,
      text.indexOf(statement.text),
    );
    return session.run(async (client) => {
      const { fields } = await client.query({ text, values: statement.values, rowMode: 'array' });
      return toColumns(fields);
    });
  }

  async *batches(signal?: AbortSignal): AsyncGenerator<RowBatch> {
    const statement = await this.#prepare();
    const session = new Session(this, this.#readUrl(), this.#timeoutMs, statement);
    yield* session.read(signal);
  }

  #prepare(): Promise<Statement> {
    return this.#query.prepare('postgres', (_, value) => value);
  }

  #readUrl(): string {
    return this.#query.readUrl(['postgres:', 'postgresql:']);
  }
}

/** One connection, for one query. */
class Session {
  readonly #client: pg.Client;
  /** Ours, because destroying it ends whatever waits for the server, at any stage. */
  readonly #socket = new Socket();
  readonly #silence: SilenceWatch;

  /** @param offset of the statement in what is sent. */
  constructor(
    private readonly database: Database,
    url: string,
    private readonly timeoutMs: number,
    private readonly statement: Statement,
    private readonly offset = 0,
  ) {
    this.#client = new pg.Client({
      // The URL's own settings win: TLS, and an application_name.
      application_name: 'sendonce',
      connectionString: url,
      keepAlive: true,
      stream: () => this.#socket,
    });
    // A connection that breaks while nobody waits for it is told by the next who does.
    this.#client.on('error', () => undefined);
    this.#silence = new SilenceWatch(timeoutMs + SERVER_FIRST_MS, () => this.#socket.destroy());
  }

  /** @throws {AudienceSourceError} */
  async run<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    try {
      await this.#begin();
      return await this.#silence.during(work(this.#client));
    } catch (error) {
      throw this.#toSourceError(error);
    } finally {
      await this.#end();
    }
  }

  /** @throws {AudienceSourceError} */
  async *read(signal?: AbortSignal): AsyncGenerator<RowBatch> {
    const stop = (): void => void this.#socket.destroy();
    signal?.addEventListener('abort', stop);
    try {
      signal?.throwIfAborted();
      await this.#begin();
      const { text, values } = this.statement;
      const cursor = this.#client.query(new Cursor<unknown[]>(text, values, { rowMode: 'array', types }));
      let count: number;
      do {
        const batch = await this.#silence.during(fetch(cursor));
        yield batch;
        signal?.throwIfAborted();
        count = batch.rows.length;
      } while (count === BATCH_ROWS);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.#toSourceError(error);
    } finally {
      signal?.removeEventListener('abort', stop);
      await this.#end();
    }
  }

  async #begin(): Promise<void> {
    const connecting = new SilenceWatch(Math.min(CONNECT_TIMEOUT_MS, this.timeoutMs), () =>
      this.#socket.destroy(),
    );
    await connecting.during(this.#client.connect()).catch((error: unknown) => {
      throw connecting.isSilent ? this.#transient('the connection timed out') : error;
    });
    // SET LOCAL and not parameters of the connection, which poolers refuse.
    await this.#silence.during(
      this.#client.query(`
        begin isolation level repeatable read read only;
        set local statement_timeout = ${this.timeoutMs};
        set local idle_in_transaction_session_timeout = ${IDLE_TRANSACTION_MS};
        set local time zone 'UTC';
        set local datestyle = 'ISO, YMD'`),
    );
  }

  /** There is nothing to commit. In the middle of an answer pg just hangs up. */
  async #end(): Promise<void> {
    const ending = new SilenceWatch(END_TIMEOUT_MS, () => this.#socket.destroy());
    await ending.during(this.#client.end()).catch(() => undefined);
    this.#socket.destroy();
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
    if (error instanceof pg.DatabaseError) return this.#toQueryError(error);
    const { message } = error as Error;
    // pg has no codes of its own for it.
    if (/^(Connection terminated|Client has encountered a connection error)/.test(message))
      return this.#transient('the connection broke');
    return new AudienceSourceError(this.database.name, undefined, makeScrubber().text(message));
  }

  #toQueryError({ code = '', message, position }: pg.DatabaseError): AudienceSourceError {
    const reason = `${withoutValues(code, message)} (${code})`;
    if (isTransient(code)) return this.#transient(reason);
    if (code === '57014')
      return this.statement.errorAt(
        undefined,
        `no rows came for ${this.timeoutMs / 1_000} s, which is the limit (timeout_seconds): ${reason}`,
      );
    const isOfQuery = /^(22|42|2[16]|0A|25)/.test(code) || position !== undefined;
    if (!isOfQuery) return new AudienceSourceError(this.database.name, undefined, reason);
    return this.statement.errorAt(
      position === undefined ? undefined : this.#lineAt(Number(position)),
      reason,
    );
  }

  /** @param position in characters, from 1, of what was sent. */
  #lineAt(position: number): number {
    const characters = Array.from(this.statement.text).slice(0, position - 1 - this.offset);
    return characters.filter((character) => character === '\n').length + 1;
  }
}

function fetch(cursor: Cursor<unknown[]>): Promise<RowBatch> {
  return new Promise((resolve, reject) => {
    cursor.read(BATCH_ROWS, (error, rows, result) => {
      if (error) reject(error);
      else resolve({ columns: toColumns(result.fields), rows });
    });
  });
}

function toColumns(fields: readonly pg.FieldDef[]): Column[] {
  return fields.map(({ name, dataTypeID }) => {
    const binaryType = binaryTypeOf(dataTypeID);
    return binaryType ? { name, binaryType } : { name };
  });
}

/**
 * Errors that another attempt may be spared: connections (08), a server that starts, stops or has no room (57P, 53), a standby
 * that had to cancel the query (40), a transaction that idled while the freezing was held up (25P03).
 */
function isTransient(code: string): boolean {
  return /^(08|53|57P|40|25P03)/.test(code);
}

/** An error about data quotes them; one about the query quotes its names. @param code SQLSTATE. */
function withoutValues(code: string, message: string): string {
  const isOfQuery = /^(42|3D|28|0A)/.test(code);
  return makeScrubber().text(isOfQuery ? message : message.replace(/"[^"]*"|'[^']*'/g, '"…"'));
}
