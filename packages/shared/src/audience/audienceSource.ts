/**
 * The contract of every source of recipients. Rows are streamed: an audience may have ten million of them.
 */
import type { InvalidAddress, RecipientAddress } from './address.js';

export interface AudienceRecipient extends RecipientAddress {
  /** Merge fields by name. */
  fields: Record<string, unknown>;
}

/** A row of the source, with the physical line (from 1) where it starts. Reasons never hold the address. */
export type AudienceRow =
  | { line: number; recipient: AudienceRecipient }
  | ({ line: number } & InvalidAddress);

export interface RowOptions {
  /** A row without one of these fields is invalid: the mail would have a gap. */
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
    message: string,
  ) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${message}`);
  }
}
