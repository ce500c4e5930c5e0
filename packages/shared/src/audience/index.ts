/** Who gets it: sources of recipients, one contract; addresses and how they are compared. */
import { resolve } from 'node:path';
import type { AudienceDefinition } from '../campaign/index.js';
import type { AudienceSource } from './audienceSource.js';
import { CsvSource } from './csvSource.js';
import { NdjsonSource } from './ndjsonSource.js';

export {
  addressKey,
  type InvalidAddress,
  type Mailbox,
  maskAddress,
  parseMailbox,
  parseRecipientAddress,
  type RecipientAddress,
} from './address.js';
export { AddressSet } from './addressSet.js';
export {
  type AudienceRecipient,
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  type RowOptions,
} from './audienceSource.js';
export { type CsvRow, readCsvTable } from './csvTable.js';
export { toFieldName } from './mergeFields.js';

/** @param baseDir the campaign's folder, which paths are relative to. */
export function openAudience(definition: AudienceDefinition, baseDir: string): AudienceSource {
  return 'csv' in definition
    ? new CsvSource(resolve(baseDir, definition.csv), definition.address_field)
    : new NdjsonSource(resolve(baseDir, definition.ndjson), definition.address_field);
}
