/** Everything that takes events in, put together: for each process that does. */
import type { Ledger } from '../ledger/index.js';
import type { Runs } from '../run/index.js';
import type { Clock, RedisConnection } from '../runtime/index.js';
import type { SuppressionList } from '../suppression/index.js';
import { Feedback } from './feedback.js';
import { MailOutcomes } from './mailOutcomes.js';
import { type ReputationLimits, ReputationWindow } from './reputation.js';
import { type SesEventServices, SesEvents } from './sesEvents.js';

export interface SesEventsConfig {
  prefix: string;
  /** Of bounces and complaints, at which operators are warned and runs pause. */
  reputation: ReputationLimits;
  /** How many transient bounces suppress an address; 0: never. */
  suppressAfterTransientBounces: number;
}

export function openSesEvents(
  services: {
    clock: Clock;
    ledger: Ledger;
    redis: RedisConnection;
    runs: Runs;
    suppressions: SuppressionList;
  } & Pick<SesEventServices, 'onTaken'>,
  { prefix, reputation: limits, suppressAfterTransientBounces: transientLimit }: SesEventsConfig,
): { events: SesEvents; reputation: ReputationWindow } {
  const outcomes = new MailOutcomes(services, { prefix });
  const reputation = new ReputationWindow(services, { prefix, limits });
  const feedback = new Feedback(services, { transientLimit });
  const events = new SesEvents({ ...services, feedback, outcomes, reputation }, { prefix });
  return { events, reputation };
}
