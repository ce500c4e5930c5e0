/** What went wrong, in words, from what `fetch` and the other side say. */
import type { Problem } from './api.js';
import { parseJson } from './parseJson.js';
import { type Failure, NO_ANSWER } from './sendonceError.js';

/** @param text of the body. */
export function refusal(response: Response, text: string): Failure {
  const { status, headers } = response;
  const retryAfterMs = retryAfterOf(headers.get('retry-after'));
  const problem = headers.get('content-type')?.startsWith('application/problem+json')
    ? (parseJson(text) as Problem | undefined)
    : undefined;
  if (!problem) return { ...notOurs(status), retryAfterMs };
  return { status, title: problem.title, detail: problem.detail, problem, retryAfterMs };
}

/** For an answer that is no document of the API: another server, or a proxy in between. */
export function notOurs(status: number): Failure {
  const isElsewhere = status >= 300 && status < 400;
  const detail = isElsewhere ? 'It leads elsewhere; `url` has to be where the dashboard answers.' : undefined;
  return { status, title: 'That is no answer of the API.', detail };
}

/** @param timeoutMs given when it was the time that ended the request. */
export function noAnswer(error: unknown, { key, timeoutMs }: { key: string; timeoutMs?: number }): Failure {
  const title = 'No answer came.';
  if (timeoutMs !== undefined) return { status: NO_ANSWER, title, detail: `Not within ${timeoutMs} ms.` };
  const texts = causesOf(error);
  // "fetch failed" has the reason in its cause; several addresses that failed are a code without words.
  const detail = texts.at(-1)?.replaceAll(key, '…');
  const isClean = !texts.some((text) => text.includes(key));
  return { status: NO_ANSWER, title, detail, ...(isClean && { cause: error }) };
}

function causesOf(error: unknown): string[] {
  const { message, code, cause } = (error ?? {}) as { message?: string; code?: string; cause?: unknown };
  const text = message || code;
  return [...(text ? [text] : []), ...(cause ? causesOf(cause) : [])];
}

/** @returns ms from now. In seconds, or as a date; undefined for neither. */
function retryAfterOf(value: string | null): number | undefined {
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const ms = Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
