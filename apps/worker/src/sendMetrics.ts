/** What a worker measures of its sending. Only words of closed sets become labels. */
import type { Settlement } from '@sendonce/shared/ledger';
import type { Counter, Gauge, Histogram, ProcessMetrics } from '@sendonce/shared/observe';
import type { SesAnswer } from '@sendonce/shared/ses';

/** A script of Redis: tenths of ms on the same machine, a second with `everysec` and WAITAOF; s. */
const REDIS_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3];
/** A call to SES: 20-200 ms in its region, up to SES_TIMEOUT_SECONDS; s. */
const SES_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60];

/** In the ledger's words: which state they are in after it. */
const STATE_AFTER: Record<Settlement['event'], string> = {
  accept: 'sent',
  reject: 'rejected',
  doubt: 'in_doubt',
  release: 'queued',
  suppress: 'suppressed',
};

/** One series of a histogram. */
type Observer = ReturnType<Histogram<'outcome'>['labels']>;

export class SendMetrics {
  readonly claimed: Counter;
  readonly claimSeconds: Histogram;
  readonly barrierSeconds: Histogram;
  readonly settleSeconds: Histogram;
  readonly throttled: Counter;
  readonly chunksInFlight: Gauge;
  readonly #settled;
  readonly #sesSeconds: Record<SesAnswer['outcome'], Observer>;

  constructor(metrics: ProcessMetrics) {
    this.claimed = metrics.counter(
      'sendonce_recipients_claimed_total',
      'Recipients that this worker has claimed.',
    );
    this.#settled = metrics.counter(
      'sendonce_recipients_settled_total',
      'Recipients of claims, by their state after it; queued: certainly not sent, somebody tries again.',
      ['state'],
    );
    this.claimSeconds = metrics.histogram(
      'sendonce_claim_duration_seconds',
      'A claim of a micro-batch, until it is durable.',
      REDIS_BUCKETS,
    );
    this.barrierSeconds = metrics.histogram(
      'sendonce_claim_barrier_duration_seconds',
      'The part of a claim that waits for disk or replicas (WAITAOF, WAIT).',
      REDIS_BUCKETS,
    );
    this.settleSeconds = metrics.histogram(
      'sendonce_settle_duration_seconds',
      'Writing down what became of a micro-batch.',
      REDIS_BUCKETS,
    );
    const sesSeconds = metrics.histogram(
      'sendonce_ses_request_duration_seconds',
      'A SendEmail call, by what its answer means; unknown: in doubt.',
      SES_BUCKETS,
      ['outcome'],
    );
    // Found once: finding them takes longer than counting, and this is done for every mail.
    this.#sesSeconds = {
      accepted: sesSeconds.labels('accepted'),
      rejected: sesSeconds.labels('rejected'),
      released: sesSeconds.labels('released'),
      unknown: sesSeconds.labels('unknown'),
    };
    this.throttled = metrics.counter('sendonce_ses_throttled_total', 'Answers of SES that said: too fast.');
    this.chunksInFlight = metrics.gauge('sendonce_chunks_in_flight', 'Chunks that this worker is sending.');
    // A state that never came is a 0, not a gap.
    for (const state of Object.values(STATE_AFTER)) this.#settled.inc({ state }, 0);
  }

  /** SES has answered a call of SendEmail. */
  answered(outcome: SesAnswer['outcome'], seconds: number): void {
    this.#sesSeconds[outcome].observe(seconds);
  }

  settled(settlements: readonly Settlement[]): void {
    // Once a state, not once a recipient.
    const counts = new Map<string, number>();
    for (const { event } of settlements)
      counts.set(STATE_AFTER[event], (counts.get(STATE_AFTER[event]) ?? 0) + 1);
    for (const [state, count] of counts) this.#settled.inc({ state }, count);
  }
}
