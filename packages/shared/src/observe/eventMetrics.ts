/** SES's events, counted in whichever process takes them. */
import type { EventOutcome } from '../events/index.js';
import type { ProcessMetrics } from './processMetrics.js';

/** https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html */
const TYPES = new Set([
  'Send',
  'Delivery',
  'Bounce',
  'Complaint',
  'Reject',
  'DeliveryDelay',
  'Open',
  'Click',
  'Subscription',
  'Rendering Failure',
]);

export class EventMetrics {
  readonly #taken;

  constructor(metrics: ProcessMetrics) {
    this.#taken = metrics.counter(
      'sendonce_ses_events_total',
      'Events of SES that were taken in, by type, and whether one settled something, was known, or is foreign.',
      ['type', 'outcome'],
    );
  }

  /** @param type as it came: what is no type of SES's is counted as `other`, because anybody can make up words. */
  readonly take = (type: string, outcome: EventOutcome): void => {
    const label = TYPES.has(type) ? type.toLowerCase().replace(' ', '_') : 'other';
    this.#taken.inc({ type: label, outcome });
  };
}
