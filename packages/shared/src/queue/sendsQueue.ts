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

/** BullMQ's least urgent priority. */
const LAST_TURN = 2_097_152;

/**
 * Adds the jobs of all chunks of a run; those that are there stay.
 *
 * Runs take turns: a chunk's priority is its turn, and a new run begins at the turn that is up. So a small run passes a
 * million that was there before, chunk by chunk, and with a weight of 2 a run has two chunks a turn.
 */
export async function addSendJobs(queue: SendsQueue, run: string, chunks: number, weight = 1): Promise<void> {
  const slice = 500;
  const turn = await currentTurn(queue);
  for (let first = 0; first < chunks; first += slice) {
    const numbers = Array.from({ length: Math.min(slice, chunks - first) }, (_, index) => first + index);
    await queue.addBulk(
      numbers.map((chunk) => ({
        name: SEND,
        data: { run, chunk, chunks },
        opts: {
          ...SENDS_JOB_OPTIONS,
          jobId: sendJobId({ run, chunk }),
          priority: Math.min(turn + Math.floor(chunk / weight), LAST_TURN),
        },
      })),
    );
  }
}

/** Makes sure that chunks with queued recipients have jobs that will run. New ones begin at the turn that is up. */
export async function ensureSendJobs(
  queue: SendsQueue,
  { run, chunks }: { run: string; chunks: number },
  numbers: readonly number[],
): Promise<void> {
  if (numbers.length === 0) return;
  const turn = await currentTurn(queue);
  for (const [index, chunk] of numbers.entries()) {
    const options = { ...SENDS_JOB_OPTIONS, priority: Math.min(turn + index, LAST_TURN) };
    await ensureJob(queue, SEND, { run, chunk, chunks }, sendJobId({ run, chunk }), options);
  }
}

/** Whether somebody waits whose turn comes before this job's. */
export async function hasEarlierTurn(queue: SendsQueue, priority: number): Promise<boolean> {
  const [first] = await queue.getPrioritized(0, 0);
  return first !== undefined && (first.opts.priority ?? 0) < priority;
}

async function currentTurn(queue: SendsQueue): Promise<number> {
  const [first] = await queue.getPrioritized(0, 0);
  return first?.opts.priority ?? 1;
}
