/** Jobs for chunks of any run, in the queue of its kind. */
import type { RunRecord } from '../run/index.js';
import { ensureMessagesJobs } from './messagesQueue.js';
import type { Queues } from './queues.js';
import { ensureSendJobs } from './sendsQueue.js';

/** Makes sure that chunks with queued recipients have jobs that will run. */
export async function ensureChunkJobs(
  { messages, sends }: Pick<Queues, 'messages' | 'sends'>,
  { id: run, chunks, origin }: Pick<RunRecord, 'id' | 'chunks' | 'origin'>,
  numbers: readonly number[],
): Promise<void> {
  if (origin === 'messages') await ensureMessagesJobs(messages, run, numbers);
  else await ensureSendJobs(sends, { run, chunks }, numbers);
}
