/** Who gets no mail: the suppression list, and the links by which recipients put themselves on it. */
export { Buckets } from './buckets.js';
export {
  type ImportReport,
  importSuppressions,
  readSuppressionCsv,
  type SuppressionRow,
} from './importSuppressions.js';
export { LateSuppressions } from './lateSuppressions.js';
export {
  EVERYTHING,
  SUPPRESSION_REASONS,
  type Suppression,
  type SuppressionReason,
} from './suppression.js';
export { type Added, SuppressionList, type TransientBounce } from './suppressionList.js';
export {
  findLinkObstacle,
  openUnsubscribeLinks,
  runOfClaim,
  UNSUBSCRIBE_PATH,
  type UnsubscribeLinks,
} from './unsubscribeLinks.js';
export type { UnsubscribeClaim } from './unsubscribeToken.js';
