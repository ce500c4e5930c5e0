/** Sendonce's HTTP API: runs, single messages and the suppression list, by `fetch` and nothing else. */
export type {
  AddressSuppressions,
  CampaignProblem,
  Message,
  Problem,
  Report,
  Run,
  Suppression,
  SuppressionEntry,
} from './api.js';
export {
  type Begun,
  type CallOptions,
  type Campaigns,
  type Keyed,
  type NewMessage,
  type NewSuppression,
  Sendonce,
  type SendonceOptions,
  type SuppressionsReport,
} from './sendonce.js';
export { SendonceError } from './sendonceError.js';
