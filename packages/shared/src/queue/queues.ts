/**
 * The queues, and what all their users have to agree on. BullMQ's keys share one hash tag, since its scripts touch
 * many keys of a queue at once (Redis Cluster).
 */
import { Queue, type Telemetry, type WorkerOptions } from 'bullmq';
import { nextOccurrence } from '../campaign/index.js';
import type { RedisConnection } from '../runtime/index.js';
import type { RunsQueue } from './runsQueue.js';
import type { SendsQueue } from './sendsQueue.js';

export const RUNS_QUEUE = 'runs';
export const SENDS_QUEUE = 'sends';
export const MESSAGES_QUEUE = 'messages';

export interface Queues {
  runs: RunsQueue;
  sends: SendsQueue;
  messages: SendsQueue;
}

/** BullMQ's own occurrences are computed by the same function as ours, so that they can't disagree. */
const settings = {
  repeatStrategy: (millis: number, { pattern, tz }: { pattern?: string; tz?: string }) =>
    pattern && tz ? nextOccurrence({ cron: pattern, timezone: tz }, new Date(millis))?.getTime() : undefined,
};

function queuePrefix(prefix: string): string {
  return `{${prefix}}`;
}

/** @param telemetry BullMQ's, where jobs are traced. */
export function openQueues(connection: RedisConnection, prefix: string, telemetry?: Telemetry): Queues {
  const options = { connection, prefix: queuePrefix(prefix), settings, ...(telemetry && { telemetry }) };
  return {
    runs: new Queue(RUNS_QUEUE, options),
    sends: new Queue(SENDS_QUEUE, options),
    messages: new Queue(MESSAGES_QUEUE, options),
  };
}

export async function closeQueues({ runs, sends, messages }: Queues): Promise<void> {
  await Promise.all([runs.close(), sends.close(), messages.close()]);
}

/**
 * A killed worker's job is taken up by another one after `lockDuration` + `stalledInterval` at the most. Both are short:
 * a job that two workers have at once is harmless here, because the ledger decides who sends. `maxStalledCount` is out of
 * the way for the same reason: being killed often is no fault of the job.
 */
export function workerOptions(
  connection: RedisConnection,
  prefix: string,
  concurrency: number,
  telemetry?: Telemetry,
): WorkerOptions<RedisConnection> {
  return {
    connection,
    prefix: queuePrefix(prefix),
    settings,
    concurrency,
    lockDuration: 10_000,
    stalledInterval: 5_000,
    maxStalledCount: 1_000_000,
    autorun: false,
    ...(telemetry && { telemetry }),
  };
}
