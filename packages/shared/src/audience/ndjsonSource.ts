/** NDJSON: one JSON object a line. Values keep their types; keys become merge fields as the columns of a CSV do. */
import {
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  GARBLED,
  isGarbled,
  type RowOptions,
} from './audienceSource.js';
import { toFieldName } from './mergeFields.js';
import { RowReader, type RowRules } from './rowReader.js';
import { type Line, lineBatches, MAX_LINE_CHARACTERS, type TextInput } from './textLines.js';

/** Rows may have different fields; as many rows as this are asked which there are. */
const ROWS_ASKED_FOR_FIELDS = 100;

export class NdjsonSource implements AudienceSource {
  readonly #input: TextInput;
  readonly #rules: RowRules;
  readonly #addressField: string;
  /** A file has few keys and many rows. */
  readonly #fieldNames = new Map<string, string>();

  constructor(input: TextInput, rules: RowRules) {
    this.#input = input;
    this.#rules = rules;
    this.#addressField = toFieldName(rules.addressField);
  }

  async fields(): Promise<string[]> {
    const fields = new Set<string>();
    let asked = 0;
    for await (const { lines } of lineBatches(this.#input)) {
      for (const text of lines) {
        const row = this.#parseFields(text);
        if (typeof row === 'string') continue;
        for (const name of Object.keys(row)) fields.add(name);
        asked += 1;
        if (asked === ROWS_ASKED_FOR_FIELDS) return this.#checked(fields);
      }
    }
    return this.#checked(fields);
  }

  async *rows(options: RowOptions = {}): AsyncIterable<AudienceRow> {
    const reader = new RowReader(this.#input.name, this.#rules, options);
    let line = 0;
    for await (const { lines } of lineBatches(this.#input, options.signal)) {
      for (const text of lines) {
        line += 1;
        if (text?.trim() === '') continue;
        const fields = this.#parseFields(text);
        const row = typeof fields === 'string' ? reader.invalid(line, fields) : reader.read(line, fields);
        if (row) yield row;
      }
    }
  }

  /** @returns the merge fields, or why there are none. */
  #parseFields(text: Line): Record<string, unknown> | string {
    if (text === undefined) return `the line is longer than ${MAX_LINE_CHARACTERS} characters`;
    if (isGarbled(text)) return GARBLED;
    const row = parseObject(text);
    if (!row) return 'the line is no JSON object';
    const fields: Record<string, unknown> = {};
    for (const key of Object.keys(row)) {
      const name = this.#fieldName(key);
      if (Object.hasOwn(fields, name)) return `two keys are the same merge field, "${name}"`;
      fields[name] = row[key];
    }
    return fields;
  }

  #fieldName(key: string): string {
    let name = this.#fieldNames.get(key);
    if (name === undefined) {
      name = toFieldName(key);
      // Keys that are different in every row are data in the wrong place; they must not fill the memory.
      if (this.#fieldNames.size < 1_000) this.#fieldNames.set(key, name);
    }
    return name;
  }

  #checked(fields: Set<string>): string[] {
    if (fields.size === 0)
      throw new AudienceSourceError(
        this.#input.name,
        1,
        'no row is a JSON object with fields, expected one a line',
      );
    if (fields.has(this.#addressField)) return [...fields];
    throw new AudienceSourceError(
      this.#input.name,
      1,
      `no row has the field "${this.#addressField}"; the fields are ${[...fields].join(', ')} (address_field names the one with the addresses)`,
    );
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
