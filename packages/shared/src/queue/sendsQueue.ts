/**
 * The `sends` queue: one job a chunk, with `run/chunk` as its id. The job holds no address: Bull Board shows it. Jobs of chunks
 * that are not due yet are delayed; one that comes too early is sent back by the worker, which asks the chunk itself.
 */
import type { JobsOptions, Queue } from 'bullmq';
import type { ChunkRef } from '../ledger/index.js';
import { ensureJob } from './runsQueue.js';

export const SEND = 'send';

export interface SendPayload extends ChunkRef {
  /** Of how many, for people. */
  chunks: number;
}

/** When chunks are due, ms; those that are missing are due at once. */
export type ChunkDues = ReadonlyMap<number, number>;

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
 * million that was there before, chunk by chunk, and with a weight of 2 a run has two chunks a turn. Chunks that are due later
 * have turns of their own: those before them are long over by then.
 */
export async function addSendJobs(
  queue: SendsQueue,
  run: string,
  chunks: number,
  { weight = 1, dues = new Map() }: { weight?: number; dues?: ChunkDues } = {},
): Promise<void> {
  const slice = 500;
  const turn = await currentTurn(queue);
  const before = new Map<number, number>();
  /** How many chunks that are due together have been counted before. */
  const rankOf = (chunk: number): number => {
    const dueAt = dues.get(chunk) ?? 0;
    const rank = before.get(dueAt) ?? 0;
    before.set(dueAt, rank + 1);
    return rank;
  };
  for (let first = 0; first < chunks; first += slice) {
    const numbers = Array.from({ length: Math.min(slice, chunks - first) }, (_, index) => first + index);
    await queue.addBulk(
      numbers.map((chunk) => ({
        name: SEND,
        data: { run, chunk, chunks },
        opts: {
          ...SENDS_JOB_OPTIONS,
          jobId: sendJobId({ run, chunk }),
          priority: Math.min(turn + Math.floor(rankOf(chunk) / weight), LAST_TURN),
          ...delayUntil(dues.get(chunk)),
        },
      })),
    );
  }
}

/** Makes sure that chunks with queued recipients have jobs that will run. New ones begin at the turn that is up. */
export async function ensureSendJobs(
  queue: SendsQueue,
  { run, chunks, dues = new Map() }: { run: string; chunks: number; dues?: ChunkDues },
  numbers: readonly number[],
): Promise<void> {
  if (numbers.length === 0) return;
  const turn = await currentTurn(queue);
  for (const [index, chunk] of numbers.entries()) {
    const priority = Math.min(turn + index, LAST_TURN);
    const options = { ...SENDS_JOB_OPTIONS, priority, ...delayUntil(dues.get(chunk)) };
    await ensureJob(queue, SEND, { run, chunk, chunks }, sendJobId({ run, chunk }), options);
  }
}

/** BullMQ counts a delay from the moment in which the job is made, by this clock. */
function delayUntil(dueAt = 0): { delay?: number } {
  const delay = dueAt - Date.now();
  return delay > 0 ? { delay } : {};
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
