/**
 * The usual twenty lines (bench/naive). They have no scheduler of their own: whatever fires twice adds all jobs twice, and
 * their fixed ids are what stands against that.
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHUNK_SIZE } from '@sendonce/shared/ledger';
import { waitFor } from '@sendonce/shared/testing';
import { Queue } from 'bullmq';
import { enqueue, NAIVE_QUEUE, type NaiveEmail } from '#bench/naive/queue';
import { FENCE_MS } from '../e2e/system.js';
import type { Contender, Inbox, Ledger, Stage } from './contender.js';

/**
 * Shorter than a frozen worker sleeps, as our fence is: 30 s, BullMQ's default, against a laptop that sleeps for an hour is
 * the same to a processor.
 */
const LOCK_MS = FENCE_MS;
/** Nothing waits for so long: it has ended. A stalled job is active until it is taken up again. */
const QUIET_MS = 1_000;
const HANGING_MS = 60_000;

export class Naive implements Contender {
  readonly name = 'the usual twenty lines';
  readonly run = 'naive';
  readonly #stage: Stage;
  readonly #prefix = 'naive';
  readonly #queue: Queue<NaiveEmail>;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#queue = new Queue<NaiveEmail>(NAIVE_QUEUE, {
      connection: { url: stage.system.env.REDIS_URL ?? '' },
      prefix: this.#prefix,
    });
    this.#queue.on('error', () => undefined);
  }

  spawnWorker(): ChildProcess {
    return this.#stage.system.spawn('naive-worker', {
      REDIS_URL: this.#stage.wiredRedisUrl,
      NAIVE_PREFIX: this.#prefix,
      NAIVE_RATE: String(this.#stage.ratePerSecond),
      NAIVE_LOCK_MS: String(LOCK_MS),
    });
  }

  async prepare(): Promise<void> {}

  async start(): Promise<void> {
    await this.#enqueueAll();
    await waitFor('the first mail', async () => (await this.#stage.system.inbox(this.run)).messages > 0);
  }

  async redeliver(chunk: number): Promise<void> {
    const emails = this.#emails(chunk);
    await Promise.all(
      emails.map(async ({ position }) => {
        const job = await this.#queue.getJob(`${this.run}-${position}`);
        await job?.remove().catch(() => undefined);
      }),
    );
    await enqueue(this.#queue, emails);
  }

  async retryFinished(chunk: number): Promise<void> {
    await Promise.all(
      this.#emails(chunk).map(async ({ position }) => {
        const job = await this.#queue.getJob(`${this.run}-${position}`);
        await job?.retry('completed').catch(() => undefined);
      }),
    );
  }

  async startAgain(): Promise<void> {
    await Promise.all([this.#enqueueAll(), this.#enqueueAll()]);
  }

  secondScheduler(): Promise<void> {
    return this.#enqueueAll();
  }

  /** A mail to which SES never answers keeps its job for ever, since the SDK has no time-out: after a while it has ended. */
  async whenEnded(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + Math.min(timeoutMs, HANGING_MS);
    for (let quietSince = Date.now(); Date.now() < deadline; await sleep(100)) {
      const { waiting = 0, active = 0, delayed = 0 } = await this.#queue.getJobCounts();
      if (waiting + active + delayed > 0) quietSince = Date.now();
      if (Date.now() - quietSince > QUIET_MS) return;
    }
  }

  /** Its ledger are its completed jobs, and it throws them away. */
  async compare(_inbox: Inbox): Promise<Ledger> {
    return { inDoubt: 0, inDoubtWithoutMail: 0, mismatches: 0 };
  }

  async stop(): Promise<void> {
    await this.#queue.close();
  }

  async #enqueueAll(): Promise<void> {
    for (let chunk = 0; chunk * CHUNK_SIZE < this.#stage.recipients; chunk++)
      await enqueue(this.#queue, this.#emails(chunk));
  }

  #emails(chunk: number): NaiveEmail[] {
    const first = chunk * CHUNK_SIZE;
    const length = Math.min(CHUNK_SIZE, this.#stage.recipients - first);
    return Array.from({ length }, (_, index) => {
      const position = first + index;
      return { run: this.run, position, to: `reader${position}@example.com`, name: `Reader ${position}` };
    });
  }
}
