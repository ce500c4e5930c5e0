/** A run pauses for a reason: operators are told once, and what may mend itself is tried again by itself. */
import { NO_ALERT } from '@sendonce/alerts';
import type { Pause, Runs } from '@sendonce/shared/run';
import type { Logger } from '@sendonce/shared/runtime';

/** Tells of it (administrators hear of it from the conditions), unless it is the same that was told before the run was tried again. */
export async function pauseRun(
  { logger, runs }: { logger: Logger; runs: Runs },
  run: string,
  pause: Pause,
): Promise<void> {
  const verdict = await runs.pause(run, pause);
  const { cause, reason } = pause;
  if (verdict === 'paused') logger.error({ run, cause, reason, ...NO_ALERT }, 'run paused');
  if (verdict === 'again') logger.info({ run, cause, reason }, 'run still paused');
}
