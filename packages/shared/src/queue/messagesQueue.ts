/**
 * The `messages` queue: one job a chunk of single messages. It is a queue of its own, with workers of its own, so that a
 * message never waits behind the chunks of a campaign. First come, first served.
 */
import type { JobsOptions } from 'bullmq';
import type { ChunkRef } from '../ledger/index.js';
import { ensureJob } from './runsQueue.js';
import { SEND, type SendsQueue, sendJobId } from './sendsQueue.js';

/** Chunks are many and small here, so fewer jobs are kept for people to look at; see `SENDS_JOB_OPTIONS`. */
const MESSAGES_JOB_OPTIONS: JobsOptions = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: { age: 86_400, count: 1_000 },
  removeOnFail: { age: 14 * 86_400, count: 20_000 },
};

export async function addMessagesJob(queue: SendsQueue, ref: ChunkRef): Promise<void> {
  await queue.add(SEND, payloadOf(ref), { ...MESSAGES_JOB_OPTIONS, jobId: sendJobId(ref) });
}

/** Makes sure that chunks with queued recipients have jobs that will run. */
export async function ensureMessagesJobs(
  queue: SendsQueue,
  run: string,
  numbers: readonly number[],
): Promise<void> {
  for (const chunk of numbers) {
    const ref = { run, chunk };
    await ensureJob(queue, SEND, payloadOf(ref), sendJobId(ref), MESSAGES_JOB_OPTIONS);
  }
}

/** How many there will be in the run nobody knows: as far as it is known. */
function payloadOf({ run, chunk }: ChunkRef) {
  return { run, chunk, chunks: chunk + 1 };
}
