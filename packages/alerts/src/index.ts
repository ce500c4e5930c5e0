/** Errors of a Node application, by e-mail to its administrators. */
export type { AlertMail } from './alertMail.js';
export { Alerts } from './alerts.js';
export { alertOnErrors } from './expressErrors.js';
export { NO_ALERT } from './logRecord.js';
export { parseMailboxes } from './mailboxes.js';
export { type AlertOptions, type OpenAlerts, openAlerts } from './openAlerts.js';
export { alertStream } from './pinoStream.js';
export type { Condition } from './rules.js';
export { hideSecret, makeScrubber, type Scrubber, scrubAddresses } from './scrub.js';
