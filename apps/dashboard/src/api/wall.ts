/**
 * The API's own wall: a key in the header `Authorization`, and nothing else. No cookies, so that no other site can make a
 * browser ask; no CORS, since a key has no business in a page; no key in the URL, since URLs are logged.
 */
import { type ApiKey, type ApiScope, findApiKey, type Logger } from '@sendonce/shared/runtime';
import { type RequestHandler, Router } from 'express';
import { failureLimit, keyLimit, type Limits } from './limits.js';
import { ProblemError } from './problems.js';

const REALM = 'Bearer realm="sendonce"';

/** Lets nobody past without a key; whose it is, is `response.locals.client` from here on. */
export function wall(keys: readonly ApiKey[], limits: Limits, logger: Logger): Router {
  const router = Router();
  const countFailure = failureLimit(limits);
  router.use((request, response, next) => {
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '') ?? [];
    const key = findApiKey(keys, given);
    if (!key)
      return countFailure(request, response, (error) => {
        if (error) return next(error);
        logger.warn({ ip: request.ip, has_key: given !== '' }, 'API request without a right key');
        next(noKey(given !== ''));
      });
    response.locals.client = key.name;
    response.locals.scopes = key.scopes;
    next();
  });
  router.use(keyLimit(limits));
  return router;
}

export function needsScope(scope: ApiScope): RequestHandler {
  return (_, { locals }, next) => {
    if ((locals.scopes as ApiScope[]).includes(scope)) return next();
    next(
      new ProblemError('missing-scope', {
        detail: `It lacks the scope "${scope}".`,
        members: { scope },
        headers: { 'www-authenticate': `${REALM}, error="insufficient_scope", scope="${scope}"` },
      }),
    );
  };
}

/** RFC 6750: no code of an error for who has not tried. */
function noKey(isWrong: boolean): ProblemError {
  return new ProblemError('no-key', {
    detail: isWrong ? 'The key is not known.' : 'Expected the header "Authorization: Bearer so_…".',
    headers: { 'www-authenticate': isWrong ? `${REALM}, error="invalid_token"` : REALM },
  });
}
