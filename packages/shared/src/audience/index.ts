/** Who gets it: sources of recipients, one contract; addresses and how they are compared. */
import { resolve } from 'node:path';
import type { AudienceDefinition } from '../campaign/index.js';
import type { AudienceSource } from './audienceSource.js';
import { CsvSource } from './csvSource.js';
import { NdjsonSource } from './ndjsonSource.js';
import { SampleSource } from './sampleSource.js';

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
export { fieldNameProblem } from './mergeFields.js';

/** The file of an audience, absolute. */
export function audienceFile(definition: AudienceDefinition, baseDir: string): string {
  if ('messages' in definition) return resolve(baseDir, definition.messages);
  return resolve(baseDir, 'csv' in definition ? definition.csv : definition.ndjson);
}

/** @param baseDir the campaign's folder, which paths are relative to. */
export function openAudience(definition: AudienceDefinition, baseDir: string): AudienceSource {
  if ('messages' in definition) return new SampleSource(resolve(baseDir, definition.messages));
  return 'csv' in definition
    ? new CsvSource(resolve(baseDir, definition.csv), definition.address_field)
    : new NdjsonSource(resolve(baseDir, definition.ndjson), definition.address_field);
}
