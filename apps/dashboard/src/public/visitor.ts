/** Who asks for a link: a person, or a program that looks at links before a person does; and a name that says nothing. */
import { createHmac } from 'node:crypto';
import type { Request } from 'express';
import { isbot } from 'isbot';

/**
 * Programs that say what they are. Scanners which pretend to be browsers are found by what they click (links/lua/prelude.lua).
 * - HEAD: nobody reads the answer.
 * - Sec-Purpose, Purpose, X-Moz, X-Purpose: browsers and mail programs load in advance what may never be looked at.
 * - No User-Agent, or one of a known bot.
 */
export function isScanner(request: Request): boolean {
  if (request.method === 'HEAD') return true;
  const purposes = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].map((name) => request.get(name) ?? '');
  if (purposes.some((purpose) => /prefetch|prerender|preview/i.test(purpose))) return true;
  return isbot(request.get('user-agent') ?? '') || !request.get('user-agent');
}

/**
 * The same for one browser at one address and campaign, and different in another campaign. A keyed hash: without the secret
 * of the links nobody can try out addresses. It is kept for the five seconds of a visit, and in a HyperLogLog after that,
 * which can't be read back.
 */
export function visitorOf(request: Request, campaign: string, secret: string): string {
  return createHmac('sha256', secret)
    .update([campaign, request.ip, request.get('user-agent'), request.get('accept-language')].join('\n'))
    .digest('base64url')
    .slice(0, 16);
}
