/**
 * What a handler can say, and the one place that turns it into BullMQ's calls.
 */
import { makeScrubber } from '@sendonce/alerts';
import { DelayedError, type Job, UnrecoverableError, WaitingError } from 'bullmq';

export type Outcome =
  /** Nothing is left to do for this job. */
  | 'done'
  /** The run is paused; whoever resumes it sends the job round again. */
  | 'paused'
  | 'cancelled'
  /** The ledger does not know the run or the chunk any more: the job came back after the retention. */
  | 'expired'
  /** This process stops, or somebody else has the turn: the job goes on later. */
  | 'interrupted'
  /** The job came before its time, ms: it comes again then. */
  | { notBefore: number };

/** A mistake that no further attempt mends. */
export class FinalError extends Error {
  override readonly name = 'FinalError';
}

/** Runs a handler and tells BullMQ what came of it; the returned text is shown in Bull Board. */
export async function acknowledge(
  job: Job,
  token: string | undefined,
  handler: () => Promise<Outcome>,
): Promise<string> {
  let outcome: Outcome;
  try {
    outcome = await handler();
  } catch (error) {
    const shown = withoutSecrets(error);
    throw error instanceof FinalError ? new UnrecoverableError(shown.message) : shown;
  }
  if (typeof outcome === 'object') {
    await job.moveToDelayed(outcome.notBefore, token);
    throw new DelayedError();
  }
  switch (outcome) {
    case 'done':
    case 'paused':
    case 'cancelled':
    case 'expired':
      return outcome;
    case 'interrupted':
      await job.moveToWait(token);
      throw new WaitingError();
    default: {
      const unhandled: never = outcome;
      throw new Error(`unhandled outcome ${String(unhandled)}`);
    }
  }
}

/** BullMQ keeps an error's words with the job, where Bull Board shows them. */
function withoutSecrets(error: unknown): Error {
  const scrubber = makeScrubber();
  const shown = error instanceof Error ? error : new Error(String(error));
  shown.message = scrubber.text(shown.message);
  if (shown.stack) shown.stack = scrubber.text(shown.stack);
  return shown;
}
