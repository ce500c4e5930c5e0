/** NDJSON: one JSON object a line. Values keep their types. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseRecipientAddress } from './address.js';
import {
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  type RowOptions,
} from './audienceSource.js';
import { missingField, toFieldName } from './mergeFields.js';

/** Rows may have different fields; as many rows as this are asked which there are. */
const ROWS_ASKED_FOR_FIELDS = 100;
const MAX_LINE_CHARACTERS = 1_000_000;

export class NdjsonSource implements AudienceSource {
  readonly #file: string;
  readonly #addressField: string;

  constructor(file: string, addressField: string) {
    this.#file = file;
    this.#addressField = addressField;
  }

  async fields(): Promise<string[]> {
    const fields = new Set<string>();
    let asked = 0;
    for await (const { text } of this.#lines()) {
      if (asked++ === ROWS_ASKED_FOR_FIELDS) break;
      const row = parseObject(text);
      for (const name of Object.keys(row ?? {})) fields.add(toFieldName(name));
    }
    if (!fields.has(this.#addressField)) {
      throw new AudienceSourceError(
        this.#file,
        1,
        `no row has the field "${this.#addressField}"; the fields are ${[...fields].join(', ')}`,
      );
    }
    return [...fields];
  }

  async *rows({ requiredFields = [], signal }: RowOptions = {}): AsyncIterable<AudienceRow> {
    for await (const { line, text } of this.#lines(signal)) yield this.#toRow(line, text, requiredFields);
  }

  #toRow(line: number, text: string, requiredFields: readonly string[]): AudienceRow {
    if (text.length > MAX_LINE_CHARACTERS)
      return { line, invalid: `the line is longer than ${MAX_LINE_CHARACTERS} characters` };
    const row = parseObject(text);
    if (!row) return { line, invalid: 'the line is no JSON object' };
    const fields = Object.fromEntries(Object.entries(row).map(([name, value]) => [toFieldName(name), value]));
    const given = fields[this.#addressField];
    if (typeof given !== 'string')
      return { line, invalid: `the field "${this.#addressField}" is missing or no text` };
    const address = parseRecipientAddress(given);
    if ('invalid' in address) return { line, ...address };
    const missing = missingField(fields, requiredFields);
    if (missing) return { line, invalid: `the field "${missing}" is missing` };
    return { line, recipient: { ...address, fields } };
  }

  async *#lines(signal?: AbortSignal): AsyncIterable<{ line: number; text: string }> {
    const input = createReadStream(this.#file, { encoding: 'utf8', ...(signal && { signal }) });
    // readline alone would not tell of a file that is missing.
    const failed = new Promise<never>((_, reject) => input.once('error', reject));
    failed.catch(() => undefined);
    try {
      await Promise.race([failed, once(input, 'readable')]);
      let line = 0;
      for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
        line += 1;
        const content = line === 1 ? text.replace(/^\ufeff/, '') : text;
        if (content.trim() !== '') yield { line, text: content };
      }
      signal?.throwIfAborted();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new AudienceSourceError(
        this.#file,
        undefined,
        error instanceof Error ? error.message : String(error),
      );
    } finally {
      input.destroy();
    }
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
