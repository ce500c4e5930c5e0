/**
 * How often somebody may ask. Counted in this process: with two dashboards it is twice as often, which does for what it is
 * for, a loop gone wild. What protects SES and its account are the rate and the quota of the workers.
 */
import type { Request } from 'express';
import { type RateLimitRequestHandler, rateLimit } from 'express-rate-limit';
import { ProblemError } from './problems.js';

const WINDOW_MS = 60_000;

/** Requests a minute. */
export interface Limits {
  ofKey: number;
  /** Those that are about single messages, which are counted by themselves: they are many by nature. */
  messagesOfKey: number;
  /** With a wrong key, or none, from one address (of IPv6: from one /56). */
  failures: number;
}

export const DEFAULT_LIMITS: Limits = { ofKey: 600, messagesOfKey: 60_000, failures: 30 };

export function keyLimit({ messagesOfKey, ofKey }: Limits): RateLimitRequestHandler {
  return rateLimit({
    ...COMMON,
    limit: (request) => (isOfMessages(request) ? messagesOfKey : ofKey),
    identifier: (request) => (isOfMessages(request) ? 'messages' : 'key'),
    keyGenerator: (request, { locals }) => `${locals.client} ${isOfMessages(request)}`,
  });
}

function isOfMessages({ path }: Request): boolean {
  return /^\/messages(\/|$)/.test(path);
}

/**
 * Asked only about requests that are refused anyway, so that a right key gets in, whoever else is behind the same proxy or
 * address. Nobody guesses 256 bits; this keeps the log readable.
 */
export function failureLimit({ failures }: Limits): RateLimitRequestHandler {
  return rateLimit({ ...COMMON, limit: failures, identifier: 'failures' });
}

const COMMON = {
  windowMs: WINDOW_MS,
  standardHeaders: 'draft-8',
  legacyHeaders: false,
  // Behind a proxy all failures are of one address, which is well: see above.
  validate: { xForwardedForHeader: false, forwardedHeader: false },
  handler: (_request: unknown, _response: unknown, next: (error: unknown) => void) =>
    next(new ProblemError('too-many-requests', { detail: 'Retry-After says when to go on.' })),
} as const;
