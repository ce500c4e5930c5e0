/** Who gets it: sources of recipients, one contract; addresses and how they are compared. */
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
export { fieldNameProblem, toFieldName } from './mergeFields.js';
export type { Occasion } from './occasion.js';
export {
  type AudienceContext,
  describeSource,
  isFileAudience,
  openAudience,
  openCsv,
} from './openAudience.js';
export { WhereFilter } from './whereFilter.js';
