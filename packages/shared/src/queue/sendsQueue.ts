/**
 * The `sends` queue: one job a chunk, with `run/chunk` as its id. The job holds no address: Bull Board shows it.
 */
import type { JobsOptions, Queue } from 'bullmq';
import type { ChunkRef } from '../ledger/index.js';
import { ensureJob } from './runsQueue.js';

export const SEND = 'send';

export interface SendPayload extends ChunkRef {
  /** Of how many, for people. */
  chunks: number;
}

/** A chunk's job only goes round while the chunk has somebody to send to; retries are the reconciler's business. */
const SENDS_JOB_OPTIONS: JobsOptions = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1_000 },
  removeOnComplete: { age: 7 * 86_400, count: 20_000 },
  removeOnFail: { age: 14 * 86_400, count: 20_000 },
};

export type SendsQueue = Queue<SendPayload>;

export function sendJobId({ run, chunk }: ChunkRef): string {
  return `${run}/${chunk}`;
}

/** Adds the jobs of all chunks of a run; those that are there stay. */
export async function addSendJobs(queue: SendsQueue, run: string, chunks: number): Promise<void> {
  const slice = 500;
  for (let first = 0; first < chunks; first += slice) {
    const numbers = Array.from({ length: Math.min(slice, chunks - first) }, (_, index) => first + index);
    await queue.addBulk(
      numbers.map((chunk) => ({
        name: SEND,
        data: { run, chunk, chunks },
        opts: { ...SENDS_JOB_OPTIONS, jobId: sendJobId({ run, chunk }) },
      })),
    );
  }
}

/** Makes sure that a chunk with queued recipients has a job that will run. */
export async function ensureSendJob(queue: SendsQueue, payload: SendPayload): Promise<void> {
  await ensureJob(queue, SEND, payload, sendJobId(payload), SENDS_JOB_OPTIONS);
}
