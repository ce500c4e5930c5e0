/** People as another program has exported them, whichever it is: who may be mailed, and who must not be. */
import { type CsvRow, parseRecipientAddress, type RecipientAddress } from '../audience/index.js';
import type { SuppressionReason } from '../suppression/index.js';

export type Standing =
  | { kind: 'mailable' }
  /** Neither mailed nor suppressed: nobody has said no. */
  | { kind: 'left out'; why: string }
  | { kind: 'suppressed'; reason: SuppressionReason; since: Date | undefined };

export interface Person {
  file: string;
  line: number;
  address: RecipientAddress;
  /** Merge fields beside the address. */
  fields: Record<string, unknown>;
  standing: Standing;
}

export type PersonRow = Person | { file: string; line: number; invalid: string };

/** What a program's row means; a text: why it can't be used. Reasons never hold an address. */
export type ReadPerson = (cells: ReadonlyMap<string, string>) => Pick<Person, 'fields' | 'standing'> | string;

export function toPerson(file: string, row: CsvRow, addressColumn: string, read: ReadPerson): PersonRow {
  const { line } = row;
  if ('invalid' in row) return { file, line, invalid: row.invalid };
  const address = parseRecipientAddress(row.cells.get(addressColumn) ?? '');
  if ('invalid' in address) return { file, line, invalid: address.invalid };
  const person = read(row.cells);
  return typeof person === 'string' ? { file, line, invalid: person } : { file, line, address, ...person };
}

/** `2024-05-01 10:00:00`, maybe with a fraction and a zone as `+0200`; without one in UTC. */
export function parseTime(text: string | undefined): Date | undefined {
  const [, day, time, zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?: ?([+-]\d{4}))?/.exec(text ?? '') ?? [];
  const at = new Date(`${day}T${time}${zone.replace(/^(...)(..)$/, '$1:$2')}`);
  return Number.isNaN(at.getTime()) ? undefined : at;
}
