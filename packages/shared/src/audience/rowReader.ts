/**
 * From a row's merge fields to a recipient, the same for every source: whether it belongs to the segment, whether it can be
 * used, and whether the source has come to its limit.
 */
import { parseRecipientAddress } from './address.js';
import { type AudienceRow, AudienceSourceError, type RowOptions } from './audienceSource.js';
import { toFieldName } from './mergeFields.js';
import { WhereFilter } from './whereFilter.js';

/** A source that never ends is noticed at this row, unless the campaign says otherwise. */
const MAX_ROWS_DEFAULT = 50_000_000;

/** What a campaign says of its rows, whatever their source. */
export interface RowRules {
  /** As the column is written, or as the merge field. */
  addressField: string;
  /** A condition of Liquid's; rows for which it does not hold are not in the audience. */
  where?: string | undefined;
  /** The source may have so many, with those that `where` passes over. Default: MAX_ROWS_DEFAULT. */
  maxRows?: number | undefined;
}

export class RowReader {
  readonly #addressField: string;
  readonly #where: WhereFilter | undefined;
  readonly #maxRows: number;
  readonly #requiredFields: readonly string[];
  #count = 0;

  /**
   * @param source as errors call it.
   * @throws {AudienceSourceError} when `where` is no condition.
   */
  constructor(
    private readonly source: string,
    { addressField, where, maxRows = MAX_ROWS_DEFAULT }: RowRules,
    { requiredFields = [] }: RowOptions = {},
  ) {
    this.#addressField = toFieldName(addressField);
    this.#where = where === undefined ? undefined : WhereFilter.compile(where, source);
    this.#maxRows = maxRows;
    // Callers name a field as often as their templates use it.
    this.#requiredFields = [...new Set(requiredFields)];
  }

  /**
   * @returns undefined for a row that `where` passes over: it is none of the audience's, whatever else is wrong with it.
   * @throws {AudienceSourceError} at the row after the last that is allowed.
   */
  read(line: number, fields: Record<string, unknown>): AudienceRow | undefined {
    this.#countRow();
    const verdict = this.#where ? this.#where.test(fields) : true;
    if (verdict === false) return undefined;
    if (verdict !== true) return { line, ...verdict };
    const given = fields[this.#addressField];
    if (given === undefined) return { line, invalid: `lacks the field "${this.#addressField}"` };
    if (typeof given !== 'string') return { line, invalid: `the field "${this.#addressField}" is no text` };
    const address = parseRecipientAddress(given);
    if ('invalid' in address) return { line, invalid: address.invalid };
    for (const name of this.#requiredFields)
      if (fields[name] === undefined) return { line, invalid: `lacks the field "${name}"` };
    return { line, recipient: { address: address.address, key: address.key, fields } };
  }

  /** A row without merge fields. @throws {AudienceSourceError} as `read`. */
  invalid(line: number, reason: string): AudienceRow {
    this.#countRow();
    return { line, invalid: reason };
  }

  #countRow(): void {
    this.#count += 1;
    if (this.#count <= this.#maxRows) return;
    throw new AudienceSourceError(
      this.source,
      undefined,
      `it has more than ${this.#maxRows.toLocaleString('en')} rows, which is the limit (max_rows)`,
    );
  }
}
