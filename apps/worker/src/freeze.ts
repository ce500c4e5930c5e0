/**
 * Freezes a run's audience and puts its chunks on the queue. An audience that can't be used pauses the run with the
 * reason; whoever mends it resumes the run, and the freezing goes on where it was.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { makeScrubber, NO_ALERT } from '@sendonce/alerts';
import { AudienceSourceError } from '@sendonce/shared/audience';
import { type Ledger, NotDurableError } from '@sendonce/shared/ledger';
import type { LinkPages } from '@sendonce/shared/links';
import { addSendJobs, type Queues } from '@sendonce/shared/queue';
import { duesOf, freezeRun, type Runs, UnknownRunError } from '@sendonce/shared/run';
import { type Clock, type Logger, messageOf } from '@sendonce/shared/runtime';
import type { SuppressionList } from '@sendonce/shared/suppression';
import { FinalError, type Outcome } from './outcomes.js';
import { pauseRun } from './pauses.js';

/** A source that is away is asked again after so long, ms: a server that starts anew, a connection that broke. */
const ASK_AGAIN_AFTER_MS = [1_000, 5_000, 20_000];
/** After that the run pauses, and tries it again by itself, ms. */
const RETRY_AFTER_MS = 60_000;

export interface FreezeServices {
  runs: Runs;
  ledger: Ledger;
  linkPages: LinkPages;
  queues: Queues;
  suppressions: SuppressionList;
  clock: Clock;
  logger: Logger;
}

/** @param askAgainAfterMs of a source that is away: a pause for each further attempt. */
export async function freeze(
  services: FreezeServices,
  run: string,
  signal: AbortSignal,
  askAgainAfterMs: readonly number[] = ASK_AGAIN_AFTER_MS,
): Promise<Outcome> {
  const { linkPages, runs, queues, logger } = services;
  const record = await runs.find(run);
  if (!record) return 'expired';
  if (record.cancelledAt) return 'cancelled';
  if (record.pausedAt) return 'paused';
  // Single messages are no audience; an older worker, which does not know them, may have asked for it.
  if (record.finishedAt || record.origin === 'messages') return 'done';
  const chunks = await freezeOrPause(services, run, signal, askAgainAfterMs);
  if (typeof chunks === 'string') return chunks;
  const snapshot = await runs.snapshot(run);
  await linkPages.publish(snapshot);
  const { numbers, parts, unknownZones } = await runs.get(run);
  const { weight } = snapshot.definition;
  const dues = parts ? duesOf(await runs.chunkTallies(run)) : new Map();
  await addSendJobs(queues.sends, run, chunks, { weight, dues });
  logger.info({ run, chunks, ...numbers, ...(parts && { parts: parts.length }) }, 'audience frozen');
  if (unknownZones)
    logger.warn({ run, recipients: unknownZones }, 'time zones that do not exist, the schedule’s is taken');
  return 'done';
}

/** The number of chunks; `interrupted` when this process stops. What stands in chunks by then stays. */
async function freezeOrPause(
  services: FreezeServices,
  run: string,
  signal: AbortSignal,
  askAgainAfterMs: readonly number[],
): Promise<number | 'interrupted' | 'paused'> {
  const { clock, runs, logger } = services;
  try {
    return await freezeInSpiteOfOutages(services, run, signal, askAgainAfterMs);
  } catch (error) {
    if (signal.aborted) return 'interrupted';
    if (error instanceof UnknownRunError) throw new FinalError(error.message);
    if (error instanceof NotDurableError) {
      await pauseRun(services, run, {
        cause: 'redis',
        reason: error.message,
        retryAt: new Date(clock.now() + RETRY_AFTER_MS),
      });
      return 'paused';
    }
    const reason = makeScrubber().text(messageOf(error));
    const retry = isTransient(error) ? { retryAt: new Date(clock.now() + RETRY_AFTER_MS) } : {};
    const pause = { cause: 'campaign' as const, reason: `The audience can't be read: ${reason}`, ...retry };
    const verdict = await runs.pause(run, pause);
    if (verdict === 'again') logger.info({ run, reason }, 'audience still away');
    else logger.error({ run, err: error, ...NO_ALERT }, 'audience not frozen, run paused');
    if (isTransient(error)) return 'paused';
    throw new FinalError(reason);
  }
}

/** Each attempt reads the source from its start: whoever is in a chunk by then stays there, and is not added again. */
async function freezeInSpiteOfOutages(
  services: FreezeServices,
  run: string,
  signal: AbortSignal,
  askAgainAfterMs: readonly number[],
): Promise<number> {
  for (const pauseMs of askAgainAfterMs) {
    try {
      return await freezeRun(services, run, signal);
    } catch (error) {
      if (!isTransient(error)) throw error;
      services.logger.warn({ run, reason: messageOf(error) }, 'audience away, asked again soon');
    }
    await sleep(pauseMs, undefined, { signal });
  }
  return freezeRun(services, run, signal);
}

function isTransient(error: unknown): boolean {
  return error instanceof AudienceSourceError && error.isTransient;
}
