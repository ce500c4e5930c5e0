/**
 * The recipients of a chunk as one compressed value: a table with the field names once, since rows of an audience are
 * alike. 500 rows with 60 bytes of merge data each come to about 20 kB.
 */
import { promisify } from 'node:util';
import { deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import { addressKey } from '../audience/address.js';

const decompress = promisify(inflateRaw);

export interface Recipient {
  /** As it goes into `To:`. */
  address: string;
  /** Merge fields by name. */
  fields: Record<string, unknown>;
}

/** What a chunk was frozen with. */
export interface ChunkContent {
  recipients: Recipient[];
  /** Nobody of it is claimed before this time, ms; 0: at once. */
  dueAt: number;
}

interface RecipientTable {
  /** Missing: at once. */
  dueAt?: number;
  fields: string[];
  /** The address, then one value a field; the values are left out once they are not needed any more. */
  rows: [address: string, ...values: unknown[]][];
}

/** @param dueAt see `ChunkContent`. */
export function encodeRecipients(recipients: readonly Recipient[], dueAt = 0): Buffer {
  const fields = [...new Set(recipients.flatMap((recipient) => Object.keys(recipient.fields)))];
  return pack({
    ...(dueAt > 0 && { dueAt }),
    fields,
    rows: recipients.map(({ address, fields: values }) => [
      address,
      ...fields.map((field) => values[field] ?? null),
    ]),
  });
}

export async function decodeRecipients(packed: Buffer): Promise<Recipient[]> {
  return (await decodeContent(packed)).recipients;
}

/** Beside the thread that sends. */
export async function decodeContent(packed: Buffer): Promise<ChunkContent> {
  const json = (await decompress(packed)).toString('utf8');
  const { dueAt = 0, fields, rows } = JSON.parse(json) as RecipientTable;
  const recipients = rows.map((row) => ({
    address: row[0],
    fields: Object.fromEntries(fields.map((field, index) => [field, row[index + 1]])),
  }));
  return { recipients, dueAt };
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
