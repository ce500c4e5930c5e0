/** SES's events: what they prove about recipients. */
export { type EventOutcome, MalformedEventError, SesEvents } from './sesEvents.js';
