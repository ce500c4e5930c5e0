/**
 * The contract of every source of recipients; `audienceSource.test.ts` runs it on each. Rows are streamed: an audience may
 * have ten million of them.
 */
import { type InvalidAddress, parseRecipientAddress, type RecipientAddress } from './address.js';

export interface AudienceRecipient extends RecipientAddress {
  /** Merge fields by name. */
  fields: Record<string, unknown>;
}

/** A row of the source, with the physical line (from 1) where it starts. Reasons never hold the address. */
export type AudienceRow =
  | { line: number; recipient: AudienceRecipient }
  | ({ line: number } & InvalidAddress);

export interface RowOptions {
  /** A row without one of these fields is invalid: the mail would have a gap. `null` and the empty text are values. */
  requiredFields?: readonly string[];
  signal?: AbortSignal;
}

export interface AudienceSource {
  /** The names that templates may use. @throws {AudienceSourceError} */
  fields(): Promise<string[]>;
  /** All rows, in the order of the source. @throws {AudienceSourceError} when the source as a whole can't be read. */
  rows(options?: RowOptions): AsyncIterable<AudienceRow>;
}

/** The source as a whole is unusable: missing, not readable, without the column of the addresses. */
export class AudienceSourceError extends Error {
  override readonly name = 'AudienceSourceError';
  constructor(
    readonly file: string,
    readonly line: number | undefined,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${reason}`, options);
  }
}

/** What a decoder puts where bytes are no UTF-8. A name with it in a mail is worse than no mail. */
const REPLACEMENT_CHARACTER = '\ufffd';

/** Whether a line of a file has bytes that are no UTF-8. */
export function isGarbled(text: string): boolean {
  return text.includes(REPLACEMENT_CHARACTER);
}

export const GARBLED = 'the row is no UTF-8';

/** A row out of its merge fields. */
export function toRow(
  line: number,
  fields: Record<string, unknown>,
  addressField: string,
  requiredFields: readonly string[],
): AudienceRow {
  const given = fields[addressField];
  if (given === undefined) return { line, invalid: `lacks the field "${addressField}"` };
  if (typeof given !== 'string') return { line, invalid: `the field "${addressField}" is no text` };
  const address = parseRecipientAddress(given);
  if ('invalid' in address) return { line, invalid: address.invalid };
  for (const name of requiredFields)
    if (fields[name] === undefined) return { line, invalid: `lacks the field "${name}"` };
  return { line, recipient: { address: address.address, key: address.key, fields } };
}
