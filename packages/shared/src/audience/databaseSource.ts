/**
 * Recipients from a query, whichever the database: columns become merge fields as those of a CSV do, values keep their types. A
 * row's line is its number, from 1.
 */
import {
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  GARBLED,
  isGarbled,
  type RowOptions,
} from './audienceSource.js';
import { findClash, toFieldName } from './mergeFields.js';
import { RowReader, type RowRules } from './rowReader.js';

export interface Column {
  name: string;
  /** What it is called in the database, when its values are bytes: they have no place in a mail. */
  binaryType?: string;
}

/** Some rows of the answer; columns are the same in all batches of one answer. */
export interface RowBatch {
  columns: readonly Column[];
  rows: readonly (readonly unknown[])[];
}

export interface Database {
  /** As errors call it: `PostgreSQL (APP_DATABASE_URL)`. */
  readonly name: string;
  /** What can be known without connecting. @throws {AudienceSourceError} */
  check(): Promise<void>;
  /** The answer's columns, without running the query. @throws {AudienceSourceError} */
  columns(): Promise<Column[]>;
  /** The answer, in at least one batch; an empty one when it has no rows. @throws {AudienceSourceError} */
  batches(signal?: AbortSignal): AsyncIterable<RowBatch>;
}

export class DatabaseSource implements AudienceSource {
  readonly #database: Database;
  readonly #rules: RowRules;
  readonly #addressField: string;

  constructor(database: Database, rules: RowRules) {
    this.#database = database;
    this.#rules = rules;
    this.#addressField = toFieldName(rules.addressField);
  }

  check(): Promise<void> {
    return this.#database.check();
  }

  async fields(): Promise<string[]> {
    return this.#toFields(await this.#database.columns());
  }

  async *rows(options: RowOptions = {}): AsyncIterable<AudienceRow> {
    const reader = new RowReader(this.#database.name, this.#rules, options);
    let fields: string[] | undefined;
    let line = 0;
    for await (const { columns, rows } of this.#database.batches(options.signal)) {
      fields ??= this.#toFields(columns);
      for (const values of rows) {
        line += 1;
        const row = toRow(reader, line, fields, values);
        if (row) yield row;
      }
    }
  }

  #toFields(columns: readonly Column[]): string[] {
    const names = columns.map(({ name }) => name);
    const fail = (reason: string) => new AudienceSourceError(this.#database.name, undefined, reason);
    const clash = findClash(names);
    if (clash) throw fail(clash);
    const binary = columns.find(({ binaryType }) => binaryType !== undefined);
    if (binary)
      throw fail(
        `the column "${binary.name}" is ${binary.binaryType}, bytes that no mail can show: leave it out, or make it a text`,
      );
    const fields = names.map(toFieldName);
    if (fields.includes(this.#addressField)) return fields;
    throw fail(
      `there is no column "${this.#addressField}"; the columns are ${fields.join(', ')} (address_field names the one with the addresses)`,
    );
  }
}

function toRow(
  reader: RowReader,
  line: number,
  names: readonly string[],
  values: readonly unknown[],
): AudienceRow | undefined {
  const fields: Record<string, unknown> = {};
  for (let column = 0; column < names.length; column++) {
    const value = values[column];
    if (typeof value === 'string' && isGarbled(value)) return reader.invalid(line, GARBLED);
    fields[names[column] as string] = value ?? null;
  }
  return reader.read(line, fields);
}
