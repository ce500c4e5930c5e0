/**
 * How often the account's mails bounce and are complained of, over the last 24 hours. AWS reviews an account above 5% of
 * bounces or 0.1% of complaints, and may suspend it; runs pause before that.
 * https://docs.aws.amazon.com/ses/latest/dg/reputation-dashboard-dg.html
 */
import type { MailOutcome } from '../run/index.js';
import type { Clock, RedisConnection } from '../runtime/index.js';

const HOUR_MS = 3_600_000;
const WINDOW_HOURS = 24;
/** Few mails say little: one bounce of ten is no rate. */
const MIN_MAILS_FOR_BOUNCES = 100;
const MIN_MAILS_FOR_COMPLAINTS = 1_000;
/** Of SES's own simulator and of chance. */
const MIN_COMPLAINTS = 2;

/** What the account is judged by. */
const COUNTED = ['delivered', 'bounced', 'complained'] as const satisfies MailOutcome[];

export interface ReputationLimits {
  bounceWarn: number;
  bouncePause: number;
  complaintWarn: number;
  complaintPause: number;
}

export interface Reputation {
  /** Mails of which it is known what became of them. */
  mails: number;
  bounceRate: number;
  complaintRate: number;
  verdict: 'good' | 'warning' | 'pause';
  /** What is over which limit; empty when all is well. */
  reason: string;
}

export class ReputationWindow {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #limits: ReputationLimits;

  constructor(
    { redis, clock }: { redis: RedisConnection; clock: Clock },
    { prefix, limits }: { prefix: string; limits: ReputationLimits },
  ) {
    this.#redis = redis;
    this.#clock = clock;
    this.#key = `${prefix}:1:{rate}:reputation`;
    this.#limits = limits;
  }

  async count(outcomes: readonly MailOutcome[]): Promise<void> {
    const counts = COUNTED.map((name) => ({ name, count: outcomes.filter((one) => one === name).length }));
    if (counts.every(({ count }) => count === 0)) return;
    const multi = this.#redis.multi();
    for (const { name, count } of counts)
      if (count > 0) multi.hincrby(this.#key, `${this.#hour}:${name}`, count);
    await multi.pexpire(this.#key, (WINDOW_HOURS + 1) * HOUR_MS).exec();
  }

  async read(): Promise<Reputation> {
    const counts = { delivered: 0, bounced: 0, complained: 0 };
    const over: string[] = [];
    for (const [field, count] of Object.entries(await this.#redis.hgetall(this.#key))) {
      const [hour, outcome] = field.split(':') as [string, keyof typeof counts];
      if (Number(hour) <= this.#hour - WINDOW_HOURS) over.push(field);
      else counts[outcome] += Number(count);
    }
    if (over.length > 0) await this.#redis.hdel(this.#key, ...over);
    return this.#judge(counts);
  }

  #judge({
    delivered,
    bounced,
    complained,
  }: Record<'delivered' | 'bounced' | 'complained', number>): Reputation {
    const mails = delivered + bounced;
    const bounceRate = mails > 0 ? bounced / mails : 0;
    const complaintRate = mails > 0 ? complained / mails : 0;
    const { bounceWarn, bouncePause, complaintWarn, complaintPause } = this.#limits;
    const bounces = mails >= MIN_MAILS_FOR_BOUNCES ? bounceRate : 0;
    const complaints = mails >= MIN_MAILS_FOR_COMPLAINTS && complained >= MIN_COMPLAINTS ? complaintRate : 0;
    const reasons = [
      ...(bounces >= bounceWarn
        ? [`${percent(bounces)} of mails bounce (limit ${percent(bouncePause)})`]
        : []),
      ...(complaints >= complaintWarn
        ? [`${percent(complaints)} are complained of (limit ${percent(complaintPause)})`]
        : []),
    ];
    const isOver = bounces >= bouncePause || complaints >= complaintPause;
    return {
      mails,
      bounceRate,
      complaintRate,
      verdict: isOver ? 'pause' : reasons.length > 0 ? 'warning' : 'good',
      reason: reasons.length > 0 ? `In 24 hours ${reasons.join(', and ')}` : '',
    };
  }

  get #hour(): number {
    return Math.floor(this.#clock.now() / HOUR_MS);
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`;
}
