/** A run: its id, its record and numbers, its freezing. */
export { AudienceError, freezeRun } from './freeze.js';
export {
  MAIL_OUTCOME_NAMES,
  MAIL_OUTCOMES,
  type MailOutcome,
  type OutcomeCounts,
  outcomesIn,
  RUN_OUTCOME_NAMES,
} from './mailOutcomes.js';
export { parseRunId, runIdOf } from './runId.js';
export { type RunJson, runJson } from './runJson.js';
export {
  NUMBER_NAMES,
  type Pause,
  type PauseCause,
  RUN_ORIGINS,
  RUN_STATUSES,
  type RunNumbers,
  type RunOrigin,
  type RunRecord,
  type RunStatus,
  recipientCount,
} from './runRecord.js';
export {
  type FrozenAudience,
  type Gate,
  type HistoryPoint,
  type InvalidRow,
  type RunListOptions,
  Runs,
  UnknownRunError,
} from './runs.js';
