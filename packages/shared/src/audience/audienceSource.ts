/**
 * The contract of every source of recipients; `audienceSource.test.ts` runs it on each. Rows are streamed: an audience may
 * have ten million of them.
 */
import type { InvalidAddress, RecipientAddress } from './address.js';

export interface AudienceRecipient extends RecipientAddress {
  /** Merge fields by name. */
  fields: Record<string, unknown>;
}

/**
 * A row of the source, with the physical line (from 1) where it starts; of a query, its number (from 1). Reasons never hold
 * the address.
 */
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
  /**
   * All rows that `where` lets through, in the order of the source.
   * @throws {AudienceSourceError} when the source as a whole can't be read, or has no end.
   */
  rows(options?: RowOptions): AsyncIterable<AudienceRow>;
  /**
   * Of sources that somebody else serves, which may be away, and which may cost: what can be known without asking.
   * @throws {AudienceSourceError}
   */
  check?(): Promise<void>;
}

/** The source as a whole is unusable: missing, not readable, without the column of the addresses. */
export class AudienceSourceError extends Error {
  override readonly name = 'AudienceSourceError';
  /** It may be gone in a moment: a server that is away, a connection that broke. */
  readonly isTransient: boolean;
  constructor(
    /** The file, or what the source is called, as `PostgreSQL (APP_DATABASE_URL)`. */
    readonly file: string,
    readonly line: number | undefined,
    /** For people; without an address, a secret, or a value of a row. */
    readonly reason: string,
    { isTransient = false, ...options }: ErrorOptions & { isTransient?: boolean } = {},
  ) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${reason}`, options);
    this.isTransient = isTransient;
  }
}

/** What a decoder puts where bytes are no UTF-8. A name with it in a mail is worse than no mail. */
const REPLACEMENT_CHARACTER = '\ufffd';

/** Whether a line of a file has bytes that are no UTF-8. */
export function isGarbled(text: string): boolean {
  return text.includes(REPLACEMENT_CHARACTER);
}

export const GARBLED = 'the row is no UTF-8';
