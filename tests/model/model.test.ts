/**
 * The model: two workers and two recipients on the real Lua scripts, with every order of deaths, frozen workers, jobs that
 * come again, answers that come late or never, events and reconciling. And the same with one safeguard taken away each
 * time, to see that the explorer would find it, and that the safeguard is needed.
 */
import { openTestRedis, type TestRedis } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explore } from './explorer.js';
import { LedgerOracle } from './ledgerOracle.js';
import { ALL_SAFEGUARDS, type Safeguards, type Scope } from './steps.js';
import { SIGNATURE_TICKS } from './world.js';

/** The figures and the counterexamples are for people, on request: MODEL_REPORT=yes. */
function report(line: string): void {
  if (process.env.MODEL_REPORT) process.stderr.write(`${line}\n`);
}

/** Two recipients, and one with more that can go wrong: both at once are more worlds than a test has time for. */
const TWO: Scope = { recipients: 2, batches: [1, 2], deaths: 1, freezesReconciler: false };
const ONE: Scope = { recipients: 1, batches: [1], deaths: 2, freezesReconciler: true };

/** 1.7 million worlds take two minutes: CI has them, and `MODEL=full npm test -- tests/model`. */
const isFull = process.env.MODEL === 'full';

const TIMEOUT_MS = 600_000;

let test: TestRedis;
let oracle: LedgerOracle;
beforeAll(async () => {
  test = await openTestRedis();
  oracle = new LedgerOracle(test);
});
afterAll(() => test.close());

describe('with all safeguards', () => {
  it.each([['hold', TWO], ['resend', ONE], ...(isFull ? [['resend', TWO] as const] : [])] as const)(
    'and `%s` nobody gets two mails, and nobody is given up: %j',
    async (policy, scope) => {
      const { violation, worlds, steps, kinds } = await explore(
        { safeguards: ALL_SAFEGUARDS, policy, scope },
        oracle,
      );
      report(`${policy}: ${worlds} worlds, ${steps} steps, ${oracle.questions} questions to the scripts`);
      expect(violation).toBeUndefined();
      expect([...kinds.keys()].sort()).toEqual(
        [
          'SES accepts',
          'SES accepts, the answer is lost',
          'SES refuses as expired',
          'SES throttles',
          'a tick passes',
          'an event comes',
          'claims run out',
          ...(policy === 'resend' ? ['queued again'] : []),
          ...(scope.freezesReconciler ? ['found absent'] : []),
          'the event of a probe comes',
          'worker claims',
          'worker dies',
          'worker gives up waiting',
          'worker sends',
          'worker settles',
        ].sort(),
      );
    },
    TIMEOUT_MS,
  );
});

describe('without a safeguard two mails go out', () => {
  const removals: [string, Partial<Safeguards>][] = [
    ['when the SDK sends again by itself', { sendsOnce: false }],
    ['when the claim comes after the send', { claimsFirst: false }],
    ['when the fence is shorter than a signature is good for', { fenceTicks: SIGNATURE_TICKS - 1 }],
    ['when a request is signed with the time of its sending', { signsWithClaimTime: false }],
    ['when silence is taken for a proof of absence', { provesAbsence: false }],
  ];
  it.each(removals)(
    '%s',
    async (_, removed) => {
      const safeguards = { ...ALL_SAFEGUARDS, ...removed };
      const { violation } = await explore({ safeguards, policy: 'resend', scope: TWO }, oracle);
      report((violation?.trace ?? []).join('; '));
      expect(violation?.what).toBe('a recipient has two mails');
    },
    TIMEOUT_MS,
  );
});
