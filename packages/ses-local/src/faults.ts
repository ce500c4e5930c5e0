/**
 * Faults on demand: rules asked for at run time, by probability with a seed, by recipient, by number. This decides what
 * strikes; the server and the publisher of events carry it out. Each rule draws from a generator of its own, so the same
 * plan with the same seed strikes the same requests, whatever the other rules do.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { z } from 'zod';
import { type Latency, sampleLatency } from './latency.js';
import { RateWindow } from './rateWindow.js';
import { REFUSAL_NAMES } from './refusals.js';

/** What can be asked for, by the moment at which it strikes. At most one rule strikes at each moment. */
export const FAULTS = {
  /** Time that passes before the mail is accepted. The signature's date is checked after it. */
  before: ['latency-before'],
  /** Not accepted, and said so. `rate-limit`: throttled above `maxPerSecond` recipients in any second. */
  refuse: [...REFUSAL_NAMES, 'rate-limit'],
  /** Not accepted, and not said. */
  drop: ['refuse-then-reset'],
  /** Accepted; time passes before the answer. */
  after: ['latency-after'],
  /** Accepted, and not said. */
  break: ['accept-then-reset', 'accept-then-500', 'accept-then-503', 'accept-then-hang'],
  /** What becomes of an accepted mail. */
  outcome: ['bounce', 'soft-bounce', 'complaint', 'delivery-delay', 'reject'],
  /** What happens to each of its events. */
  event: ['events-lost', 'events-late', 'events-doubled', 'events-reordered'],
} as const;

export type Moment = keyof typeof FAULTS;
export type FaultName = (typeof FAULTS)[Moment][number];

const NEEDS_LATENCY: readonly string[] = ['latency-before', 'latency-after', 'events-late'];
const ms = z.number().min(0).max(3_600_000);

const FaultRule = z
  .strictObject({
    fault: z.enum(Object.values(FAULTS).flat() as [FaultName, ...FaultName[]]),
    probability: z.number().min(0).max(1).default(1),
    /** Default: drawn from the plan's seed and the rule's place. */
    seed: z.number().int().optional(),
    /** Only for these addresses; `*` stands for anything. */
    recipients: z.array(z.string().min(1)).min(1).optional(),
    /** So many matching requests pass first. */
    after: z.number().int().min(0).default(0),
    /** Gone after it has struck so many times. */
    count: z.number().int().positive().optional(),
    /** Strikes the first `length` of every `every` matching requests. */
    burst: z
      .strictObject({ every: z.number().int().positive(), length: z.number().int().positive() })
      .optional(),
    /** Of latency and late events: fixed, uniform, or log-normal through two percentiles. */
    latencyMs: z
      .union([ms, z.strictObject({ min: ms, max: ms }), z.strictObject({ p50: ms.positive(), p99: ms })])
      .optional(),
    /** Of rate-limit: recipients. */
    maxPerSecond: z.number().positive().optional(),
    /** Of refusals: instead of SES's text. */
    message: z.string().optional(),
  })
  .superRefine((rule, context) => {
    const need = (path: keyof typeof rule, isNeeded: boolean) => {
      if (isNeeded !== (rule[path] !== undefined))
        context.addIssue({
          code: 'custom',
          path: [path],
          message: `${rule.fault} ${isNeeded ? 'needs it' : 'does not take it'}`,
        });
    };
    need('latencyMs', NEEDS_LATENCY.includes(rule.fault));
    need('maxPerSecond', rule.fault === 'rate-limit');
  });

export const FaultPlan = z.strictObject({
  seed: z.number().int().default(1),
  rules: z.array(FaultRule).max(1_000),
});

export type FaultPlan = z.input<typeof FaultPlan>;
type Rule = z.output<typeof FaultRule>;

export interface Strike<At extends Moment> {
  fault: (typeof FAULTS)[At][number];
  delayMs: number;
  message?: string;
}

export class Faults {
  #seed = 1;
  #rules: LiveRule[] = [];
  #byMoment = new Map<Moment, LiveRule[]>();

  /** The rules, each with how often it has struck. */
  get plan(): { seed: number; rules: (Rule & { struck: number })[] } {
    return { seed: this.#seed, rules: this.#rules.map(({ rule, struck }) => ({ ...rule, struck })) };
  }

  /** Replaces all rules. @throws {ZodError} */
  set(plan: FaultPlan): void {
    const { seed, rules } = FaultPlan.parse(plan);
    this.#seed = seed;
    this.#rules = rules.map((rule, index) => new LiveRule(rule, rule.seed ?? seed + index * 7_919));
    this.#byMoment = new Map(
      (Object.keys(FAULTS) as Moment[]).map((moment) => [
        moment,
        this.#rules.filter(({ rule }) => (FAULTS[moment] as readonly string[]).includes(rule.fault)),
      ]),
    );
  }

  clear(): void {
    this.set({ rules: [] });
  }

  /** The first rule of a moment that strikes. */
  strike<At extends Moment>(moment: At, recipients: readonly string[]): Strike<At> | undefined {
    for (const live of this.#byMoment.get(moment) ?? []) {
      if (!live.strikes(recipients)) continue;
      const { fault, message } = live.rule;
      return { fault: fault as Strike<At>['fault'], delayMs: live.delayMs(), ...(message && { message }) };
    }
    return undefined;
  }
}

class LiveRule {
  readonly rule: Rule;
  struck = 0;
  #seen = 0;
  readonly #random: RandomGenerator;
  readonly #expressions: RegExp[] | undefined;
  readonly #window = new RateWindow();

  constructor(rule: Rule, seed: number) {
    this.rule = rule;
    this.#random = xoroshiro128plus(seed);
    this.#expressions = rule.recipients?.map(toExpression);
  }

  strikes(recipients: readonly string[]): boolean {
    const { after, burst, count, maxPerSecond, probability } = this.rule;
    if (count !== undefined && this.struck >= count) return false;
    if (!this.#matches(recipients)) return false;
    this.#seen += 1;
    if (this.#seen <= after) return false;
    if (burst && (this.#seen - after - 1) % burst.every >= burst.length) return false;
    if (probability < 1 && uniformFloat64(this.#random) >= probability) return false;
    if (maxPerSecond !== undefined && this.#window.tryAdmit(recipients.length, maxPerSecond)) return false;
    this.struck += 1;
    return true;
  }

  delayMs(): number {
    const { latencyMs } = this.rule;
    return latencyMs === undefined
      ? 0
      : sampleLatency(latencyMs as Latency, () => uniformFloat64(this.#random));
  }

  #matches(recipients: readonly string[]): boolean {
    const expressions = this.#expressions;
    return (
      !expressions || recipients.some((address) => expressions.some((expression) => expression.test(address)))
    );
  }
}

function toExpression(pattern: string): RegExp {
  const escaped = pattern.split('*').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`, 'i');
}
