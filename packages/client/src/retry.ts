/**
 * When a request is repeated, and how long that waits. Every operation of the API may be repeated: what must not count twice
 * carries an idempotency key, and the key stays the same.
 */
import { NO_ANSWER, SendonceError } from './sendonceError.js';

/** No answer, too often, Redis is away; and a proxy's words for a dashboard that does not answer. */
const REPEATED_STATUSES: readonly number[] = [NO_ANSWER, 429, 502, 503, 504];

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

/** The API counts requests a minute, so it never asks for more; whoever does is not waited for. */
const LONGEST_RETRY_AFTER_MS = 60_000;

export interface RetryConfig {
  /** Attempts after the first. */
  retries: number;
  signal?: AbortSignal | undefined;
  /** @throws the signal's reason when it is aborted meanwhile. */
  wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** 0 to 1. */
  random?: () => number;
}

/**
 * @param attempt gets its number, from 1.
 * @throws what the last attempt threw, or at once what would come again.
 */
export async function withRetries<Result>(
  attempt: (number: number) => Promise<Result>,
  { retries, signal, wait = waitFor, random = Math.random }: RetryConfig,
): Promise<Result> {
  for (let number = 1; ; number += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt(number);
    } catch (error) {
      if (!isRepeated(error) || number > retries) throw error;
      await wait(waitMs(error, number, random()), signal);
    }
  }
}

function isRepeated(error: unknown): error is SendonceError {
  return (
    error instanceof SendonceError &&
    REPEATED_STATUSES.includes(error.status) &&
    (error.retryAfterMs ?? 0) <= LONGEST_RETRY_AFTER_MS
  );
}

/** Full jitter: anywhere between nothing and the doubled wait, so that clients that failed together don't come back together. */
function waitMs({ retryAfterMs = 0 }: SendonceError, failures: number, fraction: number): number {
  return retryAfterMs + fraction * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
}

function waitFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // An abort that is over is told to no listener.
    if (signal?.aborted) return reject(signal.reason);
    const end = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    signal?.addEventListener('abort', end, { once: true });
  });
}
