/**
 * The system that everybody writes first: a BullMQ job a recipient, its id fixed so that Redis refuses a second one, SES in
 * the processor, the SDK as it comes. Here to be measured against, in chaos and in benchmarks; nothing else uses it.
 */
import type { JobsOptions, Queue } from 'bullmq';

export const NAIVE_QUEUE = 'emails';

export interface NaiveEmail {
  run: string;
  /** Counts from 0. */
  position: number;
  to: string;
  name: string;
}

/** Three attempts with back-off, and old jobs removed, as BullMQ's guides on retrying and on auto-removal have them. */
const JOB_OPTIONS: JobsOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: { age: 3_600, count: 1_000 },
  removeOnFail: { age: 24 * 3_600 },
};

export async function enqueue(queue: Queue<NaiveEmail>, emails: readonly NaiveEmail[]): Promise<void> {
  await queue.addBulk(
    emails.map((data) => ({
      name: 'email',
      data,
      opts: { ...JOB_OPTIONS, jobId: `${data.run}-${data.position}` },
    })),
  );
}
