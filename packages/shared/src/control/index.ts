/** What operators do to runs, the same from the command line, the dashboard and the API. */

export { type OpenDoubt, openDoubts } from './doubts.js';
export { type FailureReasons, failureReasons } from './failureReasons.js';
export { type NextRun, nextRuns } from './nextRuns.js';
export { type FoundRecipient, findRecipients } from './recipientSearch.js';
export { retryRejected } from './retryRejected.js';
export { type ControlServices, cancelRun, pauseRun, resumeRun, settleDoubts } from './runControl.js';
export {
  CrowdedCampaignError,
  ForgottenRequestError,
  RequestMismatchError,
  RunRequests,
} from './runRequests.js';
export { type SchedulePause, SchedulePauses } from './schedulePauses.js';
export { type StartedRun, startRun } from './startRun.js';
