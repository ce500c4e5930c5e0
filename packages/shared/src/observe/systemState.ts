/**
 * The state of the whole installation, as Redis has it: queues, open runs, the account. Every process tells the same, so
 * that it can be seen while any of them lives: dashboards take the `max` over processes, never the sum.
 *
 * Read when Prometheus asks, at most every few seconds, and not at all while Redis is away: then these series are missing,
 * which is the truth, and `sendonce_redis_up` is 0.
 */
import type { Gauge } from 'prom-client';
import type { ReputationWindow } from '../events/index.js';
import type { Queues } from '../queue/index.js';
import { RUN_STATUSES, type RunRecord, type Runs } from '../run/index.js';
import type { RedisConnection } from '../runtime/index.js';
import { readKnownAccount } from '../ses/index.js';
import type { ProcessMetrics } from './processMetrics.js';
import { makeStateGauges } from './stateGauges.js';

/** Several Prometheus servers, and people, may ask at once; ms. */
const FRESH_MS = 4_000;
/** Below Prometheus's own time-out of 10 s, ms. */
const PATIENCE_MS = 3_000;
/** Records that are asked for at a time. */
const RUNS_A_ROUND = 200;

const JOB_STATES = ['waiting', 'prioritized', 'delayed', 'active', 'failed', 'completed'] as const;
const PAUSE_CAUSES = ['operator', 'campaign', 'account', 'quota', 'reputation', 'redis'] as const;
const OPEN_STATES = ['queued', 'claimed', 'in_doubt'] as const;

export interface SystemStateServices {
  prefix: string;
  queues: Queues;
  redis: RedisConnection;
  reputation: ReputationWindow;
  runs: Runs;
}

export class SystemState {
  readonly #services: SystemStateServices;
  readonly #gauges: ReturnType<typeof makeStateGauges>;
  #reading: Promise<void> = Promise.resolve();
  #isReading = false;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(metrics: ProcessMetrics, services: SystemStateServices) {
    this.#services = services;
    this.#gauges = makeStateGauges(metrics);
    this.#forget();
    metrics.include(this);
  }

  /** Never throws, never hangs; one reading at a time. */
  async refresh(): Promise<void> {
    if (!this.#isReading && performance.now() - this.#readAt > FRESH_MS) {
      this.#isReading = true;
      this.#reading = this.#read().finally(() => {
        this.#isReading = false;
        this.#readAt = performance.now();
      });
    }
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), PATIENCE_MS);
    });
    const verdict = await Promise.race([this.#reading, patience]).catch(() => 'failed');
    clearTimeout(timer);
    this.#gauges.redisUp.set(verdict === undefined ? 1 : 0);
    if (verdict !== undefined) this.#forget();
  }

  async #read(): Promise<void> {
    if (this.#services.redis.status !== 'ready') throw new Error('Redis is away.');
    await Promise.all([this.#readQueues(), this.#readRuns(), this.#readAccount(), this.#readReputation()]);
  }

  async #readQueues(): Promise<void> {
    for (const queue of Object.values(this.#services.queues) as Queues['runs'][]) {
      const counts = await queue.getJobCounts(...JOB_STATES);
      for (const state of JOB_STATES) this.#gauges.jobs.set({ queue: queue.name, state }, counts[state] ?? 0);
    }
  }

  async #readRuns(): Promise<void> {
    const records = await this.#openRuns();
    const { runs, paused, recipients } = this.#gauges;
    for (const status of RUN_STATUSES)
      runs.set({ status }, records.filter((record) => record.status === status).length);
    for (const cause of PAUSE_CAUSES)
      paused.set(
        { cause },
        records.filter((record) => record.status === 'paused' && record.pauseCause === cause).length,
      );
    for (const state of OPEN_STATES)
      recipients.set(
        { state },
        records.reduce((sum, { numbers }) => sum + numbers[state], 0),
      );
  }

  async #openRuns(): Promise<RunRecord[]> {
    const { runs } = this.#services;
    const ids = await runs.open();
    const records: RunRecord[] = [];
    for (let first = 0; first < ids.length; first += RUNS_A_ROUND) {
      const round = ids.slice(first, first + RUNS_A_ROUND);
      const found = await Promise.all(round.map((run) => runs.find(run)));
      records.push(...found.filter((record) => record !== undefined));
    }
    return records;
  }

  /** What workers were told last: Prometheus must not use up the one question a second that SES allows. */
  async #readAccount(): Promise<void> {
    const { prefix, redis } = this.#services;
    const { accountOpen, quotaMax, quotaUsed, rate } = this.#gauges;
    const account = await readKnownAccount(redis, prefix);
    for (const gauge of this.#ofAccount) gauge.remove();
    if (!account) return;
    accountOpen.set(account.closed === undefined ? 1 : 0);
    rate.set(account.maxRatePerSecond);
    if (!account.quota) return;
    quotaMax.set(account.quota.max);
    quotaUsed.set(account.quota.sent);
  }

  async #readReputation(): Promise<void> {
    const { bounceRate, complaintRate } = await this.#services.reputation.read();
    this.#gauges.bounces.set(bounceRate);
    this.#gauges.complaints.set(complaintRate);
  }

  #forget(): void {
    const { jobs, runs, paused, recipients, bounces, complaints } = this.#gauges;
    for (const gauge of [jobs, runs, paused, recipients] as Gauge[]) gauge.reset();
    // Without labels `reset` would leave a 0.
    for (const gauge of [bounces, complaints, ...this.#ofAccount]) gauge.remove();
  }

  get #ofAccount(): Gauge[] {
    const { accountOpen, quotaMax, quotaUsed, rate } = this.#gauges;
    return [accountOpen, quotaMax, quotaUsed, rate];
  }
}
