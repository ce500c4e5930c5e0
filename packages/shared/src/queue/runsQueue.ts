/**
 * The `runs` queue: what has to happen once a run.
 *
 * `due` is made by a campaign's job scheduler (fixed id: the campaign's), so two schedulers make one job; its id holds the
 * scheduled time. `freeze` has the run's id as its job id: Redis refuses a second one, and the run's record still knows
 * when the job is long gone.
 */
import type { JobsOptions, Queue } from 'bullmq';
import { runIdOf } from '../run/index.js';

export interface DuePayload {
  campaign: string;
  /** Ms since the epoch; in jobs of a job scheduler it is missing, since their id says it. */
  scheduledAt?: number;
  /** In which the schedule was read; in jobs of a job scheduler it is BullMQ's `tz`. */
  zone?: string;
}

export interface FreezePayload {
  run: string;
}

export type RunsPayload = DuePayload | FreezePayload;

export const DUE = 'due';
export const FREEZE = 'freeze';

/**
 * Jobs say what happened for two weeks; the promise does not lean on them. Attempts are for a Redis or a file system that
 * is away for a moment: a wrong campaign file fails every time, and pauses the run or shows as a failed job.
 */
export const RUNS_JOB_OPTIONS: JobsOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 2_000 },
  removeOnComplete: { age: 14 * 86_400, count: 5_000 },
  removeOnFail: { age: 14 * 86_400, count: 5_000 },
};

export type RunsQueue = Queue<RunsPayload>;

/** An occurrence that no job scheduler fires: a campaign with a fixed date, or one that was missed. */
export async function addDueJob(
  queue: RunsQueue,
  campaign: string,
  scheduledAt: Date,
  delayMs: number,
  zone?: string,
): Promise<void> {
  const jobId = `due-${runIdOf(campaign, scheduledAt)}`;
  const payload = { campaign, scheduledAt: scheduledAt.getTime(), ...(zone && { zone }) };
  await queue.add(DUE, payload, { ...RUNS_JOB_OPTIONS, jobId, delay: Math.max(0, delayMs) });
}

export async function addFreezeJob(queue: RunsQueue, run: string): Promise<void> {
  await ensureJob(queue, FREEZE, { run }, run, RUNS_JOB_OPTIONS);
}

/**
 * Makes sure that a job will run: adds it, or sends an ended one round again. One that waits or is at work stays as it is.
 * Doing this twice at the same time is harmless: the ledger decides who sends, not the job.
 */
export async function ensureJob<Payload>(
  queue: Queue<Payload>,
  name: string,
  payload: Payload,
  jobId: string,
  options: JobsOptions,
): Promise<void> {
  const job = await queue.getJob(jobId);
  const state = job ? await job.getState() : 'unknown';
  if (!job || state === 'unknown') {
    // BullMQ derives the types of `add` from the queue's and can't do so for an open type parameter.
    await (queue as unknown as Queue<unknown>).add(name, payload, { ...options, jobId });
  } else if (state === 'completed' || state === 'failed') {
    await job.retry(state, { resetAttemptsMade: true }).catch(async (error: unknown) => {
      // Somebody else was quicker, with this or with its removal; a job that is gone is added at the next look.
      if ((await job.getState()) === state) throw error;
    });
  }
}
