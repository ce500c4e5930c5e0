/** Who gets no mail: the suppression list, and the links by which recipients put themselves on it. */
export { readLinkSecrets } from './linkSecret.js';
export {
  EVERYTHING,
  SUPPRESSION_REASONS,
  type Suppression,
  type SuppressionReason,
} from './suppression.js';
export { type Added, SuppressionList, type TransientBounce } from './suppressionList.js';
export { findLinkObstacle, runOfClaim, UNSUBSCRIBE_PATH, UnsubscribeLinks } from './unsubscribeLinks.js';
export type { UnsubscribeClaim } from './unsubscribeToken.js';
