/** Single messages: accepted once by an idempotency key, and sent as recipients of runs. */
export { type MessageReport, messageReport } from './messageReport.js';
export { COLLECT_MS } from './messageRuns.js';
export { MessageTemplates, UnfitMessageError, UnknownTemplateError } from './messageTemplates.js';
export {
  type AcceptedMessage,
  BusyError,
  ForgottenMessageError,
  MessageMismatchError,
  SingleMessages,
} from './singleMessages.js';
