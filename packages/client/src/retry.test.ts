import { describe, expect, it } from 'vitest';
import { withRetries } from './retry.js';
import { type Failure, SendonceError } from './sendonceError.js';

interface Setup {
  /** What attempts meet, one after the other; then they succeed. */
  failures: (Partial<Failure> | Error)[];
  retries?: number;
  fraction?: number;
}

/** @returns how long each wait was, and what came of it. */
async function setup({ failures, retries = 5, fraction = 1 }: Setup) {
  const waits: number[] = [];
  const attempts: number[] = [];
  const result = await withRetries(
    async (number) => {
      attempts.push(number);
      const failure = failures[number - 1];
      if (failure instanceof Error) throw failure;
      if (failure) throw new SendonceError('test', { status: 503, title: '', ...failure }, number);
      return 'done';
    },
    { retries, random: () => fraction, wait: async (ms) => void waits.push(ms) },
  ).catch((error: unknown) => error);
  return { result, attempts, waits };
}

const times = (count: number, failure: Partial<Failure> = {}) => Array.from({ length: count }, () => failure);

describe('a request that fails', () => {
  it.each([0, 429, 502, 503, 504])('is made again after %d', async (status) => {
    expect(await setup({ failures: [{ status }] })).toMatchObject({ result: 'done', attempts: [1, 2] });
  });

  it.each([200, 301, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 500, 501])(
    'is not made again after %d',
    async (status) => {
      const { result, attempts } = await setup({ failures: [{ status }] });
      expect(result).toMatchObject({ status });
      expect(attempts).toEqual([1]);
    },
  );

  it('is not made again when the mistake is in the program', async () => {
    const { result, attempts } = await setup({ failures: [new TypeError('no text')] });
    expect(result).toBeInstanceOf(TypeError);
    expect(attempts).toEqual([1]);
  });

  it('is made as often as was said, and then the last error is the answer', async () => {
    const { result, attempts } = await setup({ failures: times(9), retries: 2 });
    expect(attempts).toEqual([1, 2, 3]);
    expect(result).toMatchObject({ status: 503, attempts: 3 });
    expect((await setup({ failures: times(9), retries: 0 })).attempts).toEqual([1]);
  });
});

describe('the wait before the next attempt', () => {
  it('is anywhere below a limit that doubles up to 8 s', async () => {
    expect((await setup({ failures: times(6), retries: 6 })).waits).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 8_000,
    ]);
    expect((await setup({ failures: times(3), fraction: 0.5 })).waits).toEqual([250, 500, 1_000]);
    expect((await setup({ failures: times(3), fraction: 0 })).waits).toEqual([0, 0, 0]);
  });

  it('is never shorter than the API asks for', async () => {
    const failures = times(2, { status: 429, retryAfterMs: 30_000 });
    expect((await setup({ failures, fraction: 0 })).waits).toEqual([30_000, 30_000]);
    expect((await setup({ failures })).waits).toEqual([30_500, 31_000]);
  });

  it('is not made when it would be longer than the API ever asks for', async () => {
    const { result, waits } = await setup({ failures: times(1, { status: 503, retryAfterMs: 3_600_000 }) });
    expect(result).toMatchObject({ status: 503, retryAfterMs: 3_600_000 });
    expect(waits).toEqual([]);
  });

  it('ends at once when the caller has lost patience', async () => {
    const patience = new AbortController();
    const asked = withRetries(
      async (number) => {
        queueMicrotask(() => patience.abort(new Error('too late')));
        throw new SendonceError('test', { status: 429, title: '', retryAfterMs: 60_000 }, number);
      },
      { retries: 5, signal: patience.signal },
    );
    await expect(asked).rejects.toThrow('too late');
  });
});
