/** What an answer was that is not the one that was asked for; also when there was none. */
import type { Problem } from './api.js';

/** `status` of an error when no answer came: a broken connection, a time-out. */
export const NO_ANSWER = 0;

/** The problem document's words. Neither the key nor an address is in them, so that they can be logged. */
export class SendonceError extends Error {
  override readonly name = 'SendonceError';
  /** Of HTTP; 0: no answer came. */
  readonly status: number;
  /** The problem's name, as `unknown-run`, which the page `/api/v1/docs` explains; `about:blank` when it has none. */
  readonly type: string;
  readonly title: string;
  readonly detail: string | undefined;
  /** The whole document, where there is one: with the `run` as it is, or the `errors` of the request. */
  readonly problem: Problem | undefined;
  /** How often it was asked. */
  readonly attempts: number;
  /** When the API says that it may be asked again, ms from then. */
  readonly retryAfterMs: number | undefined;

  /** @param operation as the API's document names it; never a path, which may hold an address. */
  constructor(operation: string, failure: Failure, attempts: number) {
    const { status, title, detail, problem, retryAfterMs, cause } = failure;
    const times = attempts > 1 ? `, asked ${attempts} times` : '';
    const facts = [title, detail, ...errorsOf(problem)].filter(Boolean).join(' ');
    super(`${operation}: ${facts} (${status || 'no answer'}${times})`, cause === undefined ? {} : { cause });
    this.status = status;
    this.type = problem ? (problem.type.split('#').at(-1) ?? problem.type) : 'about:blank';
    this.title = title;
    this.detail = detail;
    this.problem = problem;
    this.attempts = attempts;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Failure {
  status: number;
  title: string;
  detail?: string | undefined;
  problem?: Problem | undefined;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

function errorsOf(problem: Problem | undefined): string[] {
  return (problem?.errors ?? []).map(
    ({ pointer, parameter, detail }) => `${pointer ?? parameter ?? 'request'}: ${detail}`,
  );
}
