/** SES's events: what they prove about recipients, what became of the mails, and how the account stands by that. */
export { EventsQueue } from './eventsQueue.js';
export { MailOutcomes } from './mailOutcomes.js';
export { openSesEvents } from './openSesEvents.js';
export {
  type Reputation,
  type ReputationLimits,
  ReputationWindow,
} from './reputation.js';
export { type EventOutcome, MalformedEventError, SesEvents } from './sesEvents.js';
