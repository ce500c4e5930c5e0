/**
 * Faults on demand: rules that are asked for at run time, by probability with a seed, or by recipient. The table says what
 * each fault does; the server and the event publisher carry it out.
 */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';
import { SesError } from './sesError.js';

/** Answers instead of accepting; SES's own words, since some can only be told apart by them. */
const REFUSALS = {
  throttle: [429, 'TooManyRequestsException', 'Maximum sending rate exceeded.'],
  'quota-exhausted': [429, 'TooManyRequestsException', 'Daily message quota exceeded.'],
  'sending-paused': [400, 'SendingPausedException', 'Sending is paused for this account.'],
  'account-suspended': [400, 'AccountSuspendedException', 'Account is suspended.'],
  'mail-from-not-verified': [
    400,
    'MailFromDomainNotVerifiedException',
    'The MAIL FROM domain is not verified.',
  ],
  'missing-configuration-set': [404, 'NotFoundException', 'Configuration set does not exist.'],
  'message-rejected': [400, 'MessageRejected', 'Email address is not verified.'],
  'bad-request': [400, 'BadRequestException', 'The request is bad.'],
  'internal-error': [500, 'InternalServiceErrorException', 'Internal failure, nothing was accepted.'],
} as const satisfies Record<string, readonly [status: number, type: string, message: string]>;

export type RefusalName = keyof typeof REFUSALS;

/** The error that SES answers with. */
export function refusalOf(name: RefusalName): SesError {
  const [status, type, message] = REFUSALS[name];
  return new SesError(status, type, message);
}

/** What happens around the answer. */
export const BREAKS = [
  'accept-then-reset',
  'accept-then-500',
  'accept-then-503',
  'accept-then-hang',
  'refuse-then-reset',
  'latency-before',
  'latency-after',
] as const;

/** What happens to a mail's events. */
export const EVENT_FAULTS = [
  'events-lost',
  'events-late',
  'events-doubled',
  'bounce',
  'complaint',
  'delivery-delay',
] as const;

const REFUSAL_NAMES = Object.keys(REFUSALS) as RefusalName[];
const faultName = z.enum([...REFUSAL_NAMES, ...BREAKS, ...EVENT_FAULTS]);
export type FaultName = z.infer<typeof faultName>;

export const FaultRule = z.strictObject({
  fault: faultName,
  probability: z.number().min(0).max(1).default(1),
  /** Only for these addresses; `*` stands for anything. */
  recipients: z.array(z.string()).optional(),
  /** Gone after so many times. */
  count: z.number().int().positive().optional(),
  /** Of latency and late events: half of them are quicker than `p50Ms`, one of a hundred slower than `p99Ms`. */
  p50Ms: z.number().min(0).max(3_600_000).default(0),
  p99Ms: z.number().min(0).max(3_600_000).optional(),
});

export const FaultPlan = z.strictObject({
  seed: z.number().int().default(1),
  rules: z.array(FaultRule).max(1_000),
});

export type FaultPlan = z.input<typeof FaultPlan>;

interface LiveRule extends z.infer<typeof FaultRule> {
  left: number;
  matches: (recipients: readonly string[]) => boolean;
}

/** z(0.99) of the normal distribution: how many standard deviations p99 lies over the median. */
const Z99 = 2.3263;

export class Faults {
  #rules: LiveRule[] = [];
  #plan: z.infer<typeof FaultPlan> = { seed: 1, rules: [] };
  #random = xoroshiro128plus(1);

  get plan(): z.infer<typeof FaultPlan> {
    return this.#plan;
  }

  set(plan: z.infer<typeof FaultPlan>): void {
    this.#plan = plan;
    this.#random = xoroshiro128plus(plan.seed);
    this.#rules = plan.rules.map((rule) => ({
      ...rule,
      left: rule.count ?? Number.POSITIVE_INFINITY,
      matches: matcher(rule.recipients),
    }));
  }

  /** The first rule of these faults that strikes now. */
  strike<Name extends FaultName>(
    names: readonly Name[],
    recipients: readonly string[],
  ): { fault: Name; delayMs: number } | undefined {
    for (const rule of this.#rules) {
      if (!(names as readonly string[]).includes(rule.fault) || rule.left === 0 || !rule.matches(recipients))
        continue;
      if (rule.probability < 1 && uniformFloat64(this.#random) >= rule.probability) continue;
      rule.left -= 1;
      return { fault: rule.fault as Name, delayMs: this.#sample(rule) };
    }
    return undefined;
  }

  /** Log-normal, through the two percentiles. */
  #sample({ p50Ms, p99Ms }: LiveRule): number {
    if (p99Ms === undefined || p99Ms <= p50Ms || p50Ms === 0) return p50Ms;
    const sigma = Math.log(p99Ms / p50Ms) / Z99;
    const u = Math.max(uniformFloat64(this.#random), Number.MIN_VALUE);
    const normal = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * uniformFloat64(this.#random));
    return p50Ms * Math.exp(sigma * normal);
  }
}

export const REFUSAL_FAULTS = REFUSAL_NAMES;

function matcher(patterns: string[] | undefined): LiveRule['matches'] {
  if (!patterns) return () => true;
  const expressions = patterns.map((pattern) => {
    const escaped = pattern.split('*').map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${escaped.join('.*')}$`, 'i');
  });
  return (recipients) =>
    recipients.some((address) => expressions.some((expression) => expression.test(address)));
}
