/**
 * Which changes are let through, decided here and nowhere else: those that come from our own pages, and only for operators.
 *
 * From our own pages: browsers say where a request comes from in Sec-Fetch-Site, and a page of another site can't change
 * that. Beside it every change carries the session's token, as `csrf` in a form or as `x-csrf-token` of a script; the
 * cookie is SameSite=Strict. Bull Board's pages know no token. Theirs is the one exception, and only with proof that it is
 * the same origin that asks: `Sec-Fetch-Site: same-origin`, or, over plain http where browsers leave that out, an Origin
 * that is ours. Neither proof nor token, as from a script that has got hold of a cookie, is refused.
 * https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
import { timingSafeEqual } from 'node:crypto';
import express, { type Request, type RequestHandler } from 'express';
import { refuse } from '../problemPage.js';
import { viewerOf } from './sessions.js';

const METHODS_WITHOUT_EFFECT = new Set(['GET', 'HEAD', 'OPTIONS']);
const FORM_LIMIT = '16kb';
/** A suppression list of some 500,000 addresses. */
const UPLOAD_LIMIT = '20mb';

const readFields = express.urlencoded({ extended: false, limit: FORM_LIMIT });
const readParts = express.raw({ type: 'multipart/form-data', limit: UPLOAD_LIMIT });

/** Forms of ours, with a file or without; what another parser has read already is left as it is. */
export const parseForm: RequestHandler = (request, response, next) => {
  if (!request.is('multipart/form-data')) return readFields(request, response, next);
  readParts(request, response, (error) => {
    if (error) return next(error);
    const headers = { 'content-type': request.get('content-type') ?? '' };
    // The parser that Node brings.
    new Response(new Uint8Array(request.body as Buffer), { headers }).formData().then(
      (form) => {
        request.body = Object.fromEntries(form);
        next();
      },
      () => next(Object.assign(new Error('The form is not understood.'), { status: 400 })),
    );
  });
};

export function isChange({ method }: Request): boolean {
  return !METHODS_WITHOUT_EFFECT.has(method);
}

/** Before the login as well: nobody is to be logged in as somebody else by a page of another site. */
export const refuseForeignChanges: RequestHandler = (request, response, next) => {
  if (!isChange(request) || originOf(request) !== 'foreign') return next();
  refuse(request, response, 403, 'The request comes from another site. Nothing was changed.');
};

/** @param tokenless path of pages that know no token; see above. */
export function requireToken(tokenless: string): RequestHandler {
  return (request, response, next) => {
    if (!isChange(request)) return next();
    const isTokenless = request.path === tokenless || request.path.startsWith(`${tokenless}/`);
    const { csrf } = viewerOf(response);
    if (isEqual(request.get('x-csrf-token') ?? formToken(request), csrf)) return next();
    if (isTokenless && originOf(request) === 'ours') return next();
    refuse(
      request,
      response,
      403,
      'The form is of an earlier login, or not of this dashboard. Nothing was changed. Reload its page and try again.',
    );
  };
}

/** For every route there is or will be; what a viewer may do beside reading, as logging out, comes before it. */
export const onlyOperatorsChange: RequestHandler = (request, response, next) => {
  if (!isChange(request) || viewerOf(response).role === 'operator') return next();
  refuse(request, response, 403, 'Viewers can look at everything and change nothing. Ask an operator.');
};

/** `unknown`: no browser of these years, or one that was told to say nothing. */
function originOf(request: Request): 'ours' | 'foreign' | 'unknown' {
  const site = request.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin' ? 'ours' : 'foreign';
  const origin = request.get('origin');
  // `null`: a form of a page with our referrer policy, over plain http.
  if (origin === undefined || origin === 'null') return 'unknown';
  return URL.canParse(origin) && new URL(origin).host === request.host ? 'ours' : 'foreign';
}

function formToken({ body }: Request): string {
  const token: unknown = (body as Record<string, unknown> | undefined)?.csrf;
  return typeof token === 'string' ? token : '';
}

/** In constant time, but for the length, which everybody knows. */
function isEqual(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
