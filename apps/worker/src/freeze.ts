/**
 * Freezes a run's audience and puts its chunks on the queue. An audience that can't be used pauses the run with the
 * reason; whoever mends it resumes the run, and the freezing goes on where it was.
 */

import { NO_ALERT } from '@sendonce/alerts';
import type { Ledger } from '@sendonce/shared/ledger';
import type { LinkPages } from '@sendonce/shared/links';
import { addSendJobs, type Queues } from '@sendonce/shared/queue';
import { freezeRun, type Runs, UnknownRunError } from '@sendonce/shared/run';
import { type Clock, type Logger, messageOf } from '@sendonce/shared/runtime';
import type { SuppressionList } from '@sendonce/shared/suppression';
import { FinalError, type Outcome } from './outcomes.js';

export interface FreezeServices {
  runs: Runs;
  ledger: Ledger;
  linkPages: LinkPages;
  queues: Queues;
  suppressions: SuppressionList;
  clock: Clock;
  logger: Logger;
}

export async function freeze(services: FreezeServices, run: string, signal: AbortSignal): Promise<Outcome> {
  const { linkPages, runs, queues, logger } = services;
  const record = await runs.find(run);
  if (!record) return 'expired';
  if (record.cancelledAt) return 'cancelled';
  if (record.pausedAt) return 'paused';
  // Single messages are no audience; an older worker, which does not know them, may have asked for it.
  if (record.finishedAt || record.origin === 'messages') return 'done';
  const chunks = await freezeOrPause(services, run, signal);
  if (chunks === undefined) return 'interrupted';
  const snapshot = await runs.snapshot(run);
  await linkPages.publish(snapshot);
  await addSendJobs(queues.sends, run, chunks, snapshot.definition.weight);
  const { numbers } = await runs.get(run);
  logger.info({ run, chunks, ...numbers }, 'audience frozen');
  return 'done';
}

/** Undefined when this process stops; what stands in chunks by then stays. */
async function freezeOrPause(
  services: FreezeServices,
  run: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { runs, logger } = services;
  try {
    return await freezeRun(services, run, signal);
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof UnknownRunError) throw new FinalError(error.message);
    const reason = messageOf(error);
    await runs.pause(run, { cause: 'campaign', reason: `The audience can't be read: ${reason}` });
    logger.error({ run, err: error, ...NO_ALERT }, 'audience not frozen, run paused');
    throw new FinalError(reason);
  }
}
