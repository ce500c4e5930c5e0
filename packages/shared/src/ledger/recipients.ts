/**
 * The recipients of a chunk as one compressed value: a table with the field names once, since rows of an audience are
 * alike. 500 rows with 60 bytes of merge data each come to about 20 kB.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { addressKey } from '../audience/address.js';

export interface Recipient {
  /** As it goes into `To:`. */
  address: string;
  /** Merge fields by name. */
  fields: Record<string, unknown>;
}

interface RecipientTable {
  fields: string[];
  /** The address, then one value a field; the values are left out once they are not needed any more. */
  rows: [address: string, ...values: unknown[]][];
}

export function encodeRecipients(recipients: readonly Recipient[]): Buffer {
  const fields = [...new Set(recipients.flatMap((recipient) => Object.keys(recipient.fields)))];
  return pack({
    fields,
    rows: recipients.map(({ address, fields: values }) => [
      address,
      ...fields.map((field) => values[field] ?? null),
    ]),
  });
}

export function decodeRecipients(packed: Buffer): Recipient[] {
  const { fields, rows } = JSON.parse(inflateRawSync(packed).toString('utf8')) as RecipientTable;
  return rows.map(([address, ...values]) => ({
    address,
    fields: Object.fromEntries(fields.map((field, index) => [field, values[index]])),
  }));
}

/** Where an address is, by its key; most chunks are passed over without being parsed. */
export function findAddress(packed: Buffer, key: string): number[] {
  const json = inflateRawSync(packed).toString('utf8');
  if (!json.toLowerCase().includes(key.toLowerCase())) return [];
  const { rows } = JSON.parse(json) as RecipientTable;
  return rows.flatMap(([address], position) => (addressKey(address) === key ? [position] : []));
}

/** The same value without the merge data of those whose position does not need it any more. */
export function stripRecipients(packed: Buffer, isNeeded: (position: number) => boolean): Buffer {
  const { fields, rows } = JSON.parse(inflateRawSync(packed).toString('utf8')) as RecipientTable;
  return pack({ fields, rows: rows.map((row, position) => (isNeeded(position) ? row : [row[0]])) });
}

function pack(table: RecipientTable): Buffer {
  return deflateRawSync(JSON.stringify(table));
}
