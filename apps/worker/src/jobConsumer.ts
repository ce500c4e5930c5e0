/**
 * The BullMQ workers of this process. They only carry: what a job does, and whether it may, is decided by the ledger and the
 * run's record, so jobs may come twice, late, or after having been removed.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Continuity } from '@sendonce/shared/continuity';
import type { Ledger } from '@sendonce/shared/ledger';
import type { LinkPages } from '@sendonce/shared/links';
import {
  DUE,
  type DuePayload,
  FREEZE,
  type FreezePayload,
  MESSAGES_QUEUE,
  type Queues,
  RUNS_QUEUE,
  type RunsPayload,
  SENDS_QUEUE,
  type SendPayload,
  workerOptions,
} from '@sendonce/shared/queue';
import type { Runs } from '@sendonce/shared/run';
import type { Clock, Logger, RedisConnection, Service } from '@sendonce/shared/runtime';
import type { SuppressionList } from '@sendonce/shared/suppression';
import { type Job, type Telemetry, Worker } from 'bullmq';
import { startOccurrence } from './due.js';
import { freeze } from './freeze.js';
import { acknowledge, FinalError, type Outcome } from './outcomes.js';
import type { ChunkSender } from './send.js';

/** Chunks that a process sends at once. Two keep it busy while one settles; more would only put more in doubt when it dies. */
const CHUNKS_AT_ONCE = 2;
/** Chunks of single messages beside these: mostly of one message, which waits for nobody else's answer. */
const MESSAGE_CHUNKS_AT_ONCE = 2;
/** A freezing is long, so it must not keep a due occurrence waiting. */
const RUN_JOBS_AT_ONCE = 4;
const HELD_ROUND_MS = 1_000;

export interface JobConsumerServices {
  chunkSender: ChunkSender;
  clock: Clock;
  continuity: Pick<Continuity, 'mayWork'>;
  ledger: Ledger;
  linkPages: LinkPages;
  logger: Logger;
  queues: Queues;
  redis: RedisConnection;
  runs: Runs;
  suppressions: SuppressionList;
}

export interface JobConsumerConfig {
  campaignsDir: string;
  prefix: string;
  /** Where jobs are traced. */
  telemetry?: Telemetry;
}

export class JobConsumer implements Service {
  readonly name = 'job consumer';
  readonly #services: JobConsumerServices;
  readonly #campaignsDir: string;
  readonly #stopping = new AbortController();
  readonly #workers: Worker[];

  constructor(services: JobConsumerServices, { campaignsDir, prefix, telemetry }: JobConsumerConfig) {
    this.#services = services;
    this.#campaignsDir = campaignsDir;
    const { redis } = services;
    // Every waiting recipient listens to it.
    setMaxListeners(0, this.#stopping.signal);
    this.#workers = [
      new Worker<RunsPayload>(
        RUNS_QUEUE,
        (job, token) => acknowledge(job, token, () => this.#unlessHeld(() => this.#handleRunJob(job))),
        workerOptions(redis, prefix, RUN_JOBS_AT_ONCE, telemetry),
      ),
      new Worker<SendPayload>(
        SENDS_QUEUE,
        (job, token) => acknowledge(job, token, () => this.#unlessHeld(() => this.#handleSendJob(job))),
        workerOptions(redis, prefix, CHUNKS_AT_ONCE, telemetry),
      ),
      new Worker<SendPayload>(
        MESSAGES_QUEUE,
        (job, token) => acknowledge(job, token, () => this.#unlessHeld(() => this.#handleSendJob(job))),
        workerOptions(redis, prefix, MESSAGE_CHUNKS_AT_ONCE, telemetry),
      ),
    ];
    for (const worker of this.#workers) this.#report(worker);
  }

  /** Whether jobs are being taken, for readiness. */
  get isConsuming(): boolean {
    return this.#workers.every((worker) => worker.isRunning() && !worker.isPaused());
  }

  async start(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()));
    // A signal may have come while the connection was not up yet.
    if (this.#stopping.signal.aborted) return;
    for (const worker of this.#workers) void worker.run();
  }

  /** Lets micro-batches under way end and puts their jobs back, so that nothing is in doubt after a deploy. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  /** While everything is held jobs go round, slowly. */
  async #unlessHeld(handle: () => Promise<Outcome>): Promise<Outcome> {
    if (await this.#services.continuity.mayWork()) return handle();
    await sleep(HELD_ROUND_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    return 'interrupted';
  }

  async #handleRunJob(job: Job<RunsPayload>): Promise<Outcome> {
    switch (job.name) {
      case DUE: {
        const { campaign } = job.data as DuePayload;
        const scheduledAt = scheduledTimeOf(job as Job<DuePayload>);
        return startOccurrence(this.#services, { campaignsDir: this.#campaignsDir, campaign, scheduledAt });
      }
      case FREEZE:
        return freeze(this.#services, (job.data as FreezePayload).run, this.#stopping.signal);
      default:
        throw new FinalError(`There is no job "${job.name}" in the queue ${RUNS_QUEUE}.`);
    }
  }

  #handleSendJob(job: Job<SendPayload>): Promise<Outcome> {
    const { run, chunk } = job.data;
    return this.#services.chunkSender.run(
      { run, chunk },
      {
        signal: this.#stopping.signal,
        priority: job.opts.priority ?? 0,
        onProgress: async ({ version: _, ...numbers }) => {
          // A picture for people: a job that was removed meanwhile must not stop its chunk.
          await job.updateProgress(numbers).catch(() => undefined);
        },
      },
    );
  }

  #report(worker: Worker): void {
    const { logger } = this.#services;
    worker.on('failed', (job, error) =>
      logger.error({ queue: worker.name, ...idsOf(job), err: error }, 'job failed'),
    );
    worker.on('active', (job) => logger.debug({ queue: worker.name, ...idsOf(job) }, 'job begins'));
    worker.on('completed', (job, outcome) =>
      logger.debug({ queue: worker.name, ...idsOf(job), outcome }, 'job ends'),
    );
    worker.on('stalled', (job) =>
      logger.warn({ queue: worker.name, job }, 'job of a silent worker is taken over'),
    );
    // BullMQ tells of lost connections on every attempt; the connection itself reports them once.
    worker.on('error', (error) => logger.debug({ queue: worker.name, reason: error.message }, 'queue error'));
  }
}

/** What a line of the log is found by; jobs hold nothing else. */
function idsOf(job: Job<RunsPayload | SendPayload> | undefined): Record<string, unknown> {
  return { job: job?.id, attempt: (job?.attemptsMade ?? 0) + 1, ...job?.data };
}

/** The time that the schedule says: BullMQ puts it into the id of a scheduler's job, `repeat:<campaign>:<millis>`. */
function scheduledTimeOf(job: Job<DuePayload>): Date {
  const millis = Number(job.data.scheduledAt ?? job.id?.split(':').at(-1));
  if (!Number.isFinite(millis)) throw new FinalError(`The job "${job.id}" does not say when it was due.`);
  return new Date(millis);
}
