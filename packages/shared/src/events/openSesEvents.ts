/** Everything that takes events in, put together: for each process that does. */
import type { Ledger } from '../ledger/index.js';
import type { Runs } from '../run/index.js';
import type { Clock, RedisConnection } from '../runtime/index.js';
import { MailOutcomes } from './mailOutcomes.js';
import { type ReputationLimits, ReputationWindow } from './reputation.js';
import { SesEvents } from './sesEvents.js';

export function openSesEvents(
  services: { clock: Clock; ledger: Ledger; redis: RedisConnection; runs: Runs },
  { prefix, limits }: { prefix: string; limits: ReputationLimits },
): { events: SesEvents; outcomes: MailOutcomes; reputation: ReputationWindow } {
  const outcomes = new MailOutcomes(services, { prefix });
  const reputation = new ReputationWindow(services, { prefix, limits });
  const events = new SesEvents({ ...services, outcomes, reputation }, { prefix });
  return { events, outcomes, reputation };
}
