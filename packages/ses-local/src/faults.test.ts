import { describe, expect, test, vi } from 'vitest';
import { type FaultName, type FaultPlan, Faults } from './faults.js';
import { makeMail, setup } from './testing/setup.js';

describe('refusals', () => {
  test.each<[FaultName, string, number]>([
    ['throttle', 'TooManyRequestsException', 429],
    ['quota-exhausted', 'TooManyRequestsException', 429],
    ['limit-exceeded', 'LimitExceededException', 400],
    ['sending-paused', 'SendingPausedException', 400],
    ['account-suspended', 'AccountSuspendedException', 400],
    ['mail-from-not-verified', 'MailFromDomainNotVerifiedException', 400],
    ['missing-configuration-set', 'NotFoundException', 404],
    ['message-rejected', 'MessageRejected', 400],
    ['bad-request', 'BadRequestException', 400],
    ['internal-error', 'InternalServiceErrorException', 500],
    ['service-unavailable', 'ServiceUnavailableException', 503],
  ])('%s is %s for the SDK, and nothing is accepted', async (fault, name, httpStatusCode) => {
    const { send, control, sesLocal } = await setup();
    await control('PUT', '/control/faults', { rules: [{ fault }] });
    await expect(send()).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
    expect(sesLocal.mails.report().messages).toBe(0);
    await control('DELETE', '/control/faults');
    await send();
  });

  test('a refusal of one recipient leaves the others alone', async () => {
    const { send, sesLocal } = await setup();
    sesLocal.faults.set({
      rules: [
        { fault: 'message-rejected', recipients: ['*@BLOCKED.example', 'user7@example.com'], message: 'No.' },
      ],
    });
    await send(makeMail(1));
    await expect(send(makeMail(7))).rejects.toThrow('No.');
    await expect(send({ Destination: { ToAddresses: ['a@blocked.example'] } })).rejects.toThrow('No.');
  });
});

describe('broken answers', () => {
  test.each<[FaultName, number, RegExp]>([
    ['accept-then-reset', 1, /ECONNRESET|socket hang up/],
    ['accept-then-500', 1, /Internal failure/],
    ['accept-then-503', 1, /Service unavailable/],
    ['refuse-then-reset', 0, /ECONNRESET|socket hang up/],
  ])('%s: %i accepted', async (fault, accepted, message) => {
    const { send, sesLocal } = await setup();
    sesLocal.faults.set({ rules: [{ fault }] });
    await expect(send()).rejects.toThrow(message);
    expect(sesLocal.mails.report().messages).toBe(accepted);
  });

  test('accept-then-hang answers never, and does not keep the server from stopping', async () => {
    const { send, sesLocal } = await setup();
    sesLocal.faults.set({ rules: [{ fault: 'accept-then-hang' }] });
    const answer = expect(send()).rejects.toThrow();
    await vi.waitFor(() => expect(sesLocal.mails.report().messages).toBe(1));
    await sesLocal.stop();
    await answer;
  });

  test('who waits for a latency when the server stops is not accepted any more', async () => {
    const { send, sesLocal } = await setup();
    sesLocal.faults.set({ rules: [{ fault: 'latency-before', latencyMs: 60_000 }] });
    const answer = expect(send()).rejects.toThrow();
    await vi.waitFor(() => expect(sesLocal.faults.plan.rules[0]?.struck).toBe(1));
    await sesLocal.stop();
    await answer;
    expect(sesLocal.mails.report().messages).toBe(0);
  });
});

describe('which requests are struck', () => {
  const strikes = (plan: FaultPlan, requests: number) => {
    const faults = new Faults();
    faults.set(plan);
    return Array.from({ length: requests }, () => (faults.strike('refuse', ['a@example.com']) ? 1 : 0)).join(
      '',
    );
  };

  test('the same seed strikes the same requests, another seed others', () => {
    const plan = (seed: number) => ({ seed, rules: [{ fault: 'throttle', probability: 0.3 } as const] });
    const first = strikes(plan(7), 200);
    expect(strikes(plan(7), 200)).toBe(first);
    expect(strikes(plan(8), 200)).not.toBe(first);
    expect(first.match(/1/g)?.length).toBeGreaterThan(40);
    expect(first.match(/1/g)?.length).toBeLessThan(80);
  });

  test('a rule that is added does not change whom the others strike', () => {
    const rule = { fault: 'throttle', probability: 0.3 } as const;
    const alone = strikes({ rules: [rule] }, 100);
    expect(strikes({ rules: [rule, { fault: 'latency-after', probability: 0.5, latencyMs: 1 }] }, 100)).toBe(
      alone,
    );
  });

  test.each<[FaultPlan['rules'][number], string]>([
    [{ fault: 'throttle', count: 2 }, '11000000'],
    [{ fault: 'throttle', after: 3, count: 2 }, '00011000'],
    [{ fault: 'throttle', burst: { every: 4, length: 2 } }, '11001100'],
    [{ fault: 'throttle', after: 1, burst: { every: 4, length: 1 } }, '01000100'],
    [{ fault: 'rate-limit', maxPerSecond: 3 }, '00011111'],
  ])('%j strikes %s', (rule, expected) => {
    expect(strikes({ rules: [rule] }, 8)).toBe(expected);
  });

  test.each([
    [{ latencyMs: 5 }, 5, 5],
    [{ latencyMs: { min: 10, max: 20 } }, 10, 20],
    [{ latencyMs: { p50: 100, p99: 1_000 } }, 1, 20_000],
  ])('%j draws between %i and %i ms', (latency, min, max) => {
    const faults = new Faults();
    faults.set({ rules: [{ fault: 'latency-before', ...latency }] });
    const delays = Array.from({ length: 2_000 }, () => faults.strike('before', [])?.delayMs ?? 0).sort(
      (a, b) => a - b,
    );
    expect(delays.at(0)).toBeGreaterThanOrEqual(min);
    expect(delays.at(-1)).toBeLessThanOrEqual(max);
    if (max < 20_000) return;
    expect(delays.at(1_000)).toBeGreaterThan(85);
    expect(delays.at(1_000)).toBeLessThan(115);
    expect(delays.at(1_980)).toBeGreaterThan(700);
    expect(delays.at(1_980)).toBeLessThan(1_500);
  });
});

describe('the control API', () => {
  test('shows the rules, and how often each has struck', async () => {
    const { send, control } = await setup();
    await control('PUT', '/control/faults', { seed: 3, rules: [{ fault: 'throttle', count: 1 }] });
    await expect(send()).rejects.toThrow('Maximum sending rate exceeded');
    await send();
    expect((await control('GET', '/control/faults')).body).toEqual({
      seed: 3,
      rules: [{ fault: 'throttle', probability: 1, after: 0, count: 1, struck: 1 }],
    });
  });

  test.each([
    [{ rules: [{ fault: 'nonsense' }] }, 'rules.0.fault'],
    [{ rules: [{ fault: 'throttle', probability: 2 }] }, 'rules.0.probability'],
    [{ rules: [{ fault: 'latency-before' }] }, 'rules.0.latencyMs: latency-before needs it'],
    [{ rules: [{ fault: 'throttle', latencyMs: 5 }] }, 'rules.0.latencyMs: throttle does not take it'],
    [{ rules: [{ fault: 'rate-limit' }] }, 'rules.0.maxPerSecond: rate-limit needs it'],
    [{ rules: [{ fault: 'throttle', typo: 1 }] }, 'typo'],
    [{}, 'rules'],
  ])('refuses %j and names the place', async (plan, place) => {
    const { control } = await setup();
    const { status, body } = await control('PUT', '/control/faults', plan);
    expect(status).toBe(400);
    expect(body.message).toContain(place);
  });

  test('refuses a body that is no JSON', async () => {
    const { sesLocal } = await setup();
    const response = await fetch(`${sesLocal.url}/control/faults`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{',
    });
    expect(response.status).toBe(400);
  });
});
