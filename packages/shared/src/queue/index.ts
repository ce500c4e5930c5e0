/** The queues: names, payloads, retention, one file a queue. */
export { ensureChunkJobs } from './chunkJobs.js';
export { addMessagesJob } from './messagesQueue.js';
export {
  closeQueues,
  MESSAGES_QUEUE,
  openQueues,
  type Queues,
  RUNS_QUEUE,
  SENDS_QUEUE,
  workerOptions,
} from './queues.js';
export {
  addDueJob,
  addFreezeJob,
  DUE,
  type DuePayload,
  FREEZE,
  type FreezePayload,
  RUNS_JOB_OPTIONS,
  type RunsPayload,
  type RunsQueue,
} from './runsQueue.js';
export {
  addSendJobs,
  ensureSendJobs,
  hasEarlierTurn,
  SEND,
  type SendPayload,
  type SendsQueue,
  sendJobId,
} from './sendsQueue.js';
