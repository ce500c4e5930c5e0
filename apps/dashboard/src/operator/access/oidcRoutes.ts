/**
 * The two requests of logging in at an identity provider. What belongs to the attempt is kept in a cookie of its own for ten
 * minutes: it comes back from another site, and the session's cookie (SameSite=Strict) does not.
 */
import { maskAddress } from '@sendonce/shared/audience';
import { messageOf } from '@sendonce/shared/runtime';
import { type Request, type Response, Router } from 'express';
import { html } from '../html.js';
import { layout } from '../layout.js';
import { refuse } from '../problemPage.js';
import type { AccessServices } from './access.js';
import { safeTarget } from './loginPage.js';
import { CALLBACK_PATH, OidcAttempt, type OidcLogin } from './oidcLogin.js';
import { type Seal, seal, unseal } from './sealed.js';
import type { Sessions } from './sessions.js';

const COOKIE = 'sendonce.oidc';
const COOKIE_PATH = '/login/oidc';
const ATTEMPT_MS = 10 * 60_000;

export interface OidcRoutesServices extends AccessServices {
  oidc: OidcLogin;
  sessions: Sessions;
}

export function oidcRoutes(services: OidcRoutesServices, key: string): Router {
  const { clock, logger, oidc } = services;
  const sealing: Seal = { key, purpose: 'oidc' };
  const router = Router();
  router.get(COOKIE_PATH, async (request, response) => {
    const begun = await oidc.begin(safeTarget(request.query.to)).catch((error: unknown) => {
      logger.warn({ reason: messageOf(error) }, 'the identity provider can not be reached');
    });
    if (!begun)
      return refuse(request, response, 502, 'The identity provider does not answer. Try again later.');
    const until = clock.now() + ATTEMPT_MS;
    response.cookie(COOKIE, seal(begun.attempt, until, sealing), {
      ...cookieOptions(request),
      maxAge: ATTEMPT_MS,
    });
    response.redirect(303, begun.url.href);
  });
  router.get(CALLBACK_PATH, async (request, response) => {
    const attempt = OidcAttempt.safeParse(unseal(cookieOf(request), clock.now(), sealing));
    // Once: a second answer to the same attempt is none.
    response.clearCookie(COOKIE, cookieOptions(request));
    if (!attempt.success)
      return refuse(
        request,
        response,
        400,
        'This login has taken too long, or was not begun in this browser. Log in again.',
      );
    await finish(services, request, response, attempt.data);
  });
  return router;
}

async function finish(
  { audit, logger, oidc, sessions }: OidcRoutesServices,
  request: Request,
  response: Response,
  attempt: OidcAttempt,
): Promise<void> {
  const failed = { via: 'dashboard', action: 'login.failed', outcome: 'refused' } as const;
  const query = request.originalUrl.split('?')[1] ?? '';
  const came = await oidc.finish(query, attempt).catch((error: unknown) => {
    logger.warn({ reason: messageOf(error), ip: request.ip }, 'login by OIDC failed');
  });
  if (!came) {
    await audit.record({
      ...failed,
      who: 'unknown name',
      detail: `OIDC, from ${request.ip}: the answer was not right`,
    });
    return refuse(request, response, 401, "The identity provider's answer was not right. Log in again.");
  }
  if (!came.person) {
    await audit.record({
      ...failed,
      // One of ours they are not: it may be a recipient.
      who: maskAddress(came.name),
      detail: `OIDC, from ${request.ip}: neither operator nor viewer`,
    });
    return refuse(
      request,
      response,
      403,
      `You are logged in as ${came.name}, who may not look at this. Ask an operator.`,
    );
  }
  await audit.record({
    who: came.name,
    via: 'dashboard',
    action: 'login',
    outcome: 'done',
    detail: `OIDC, from ${request.ip}`,
  });
  sessions.start(request, 'oidc', came.person);
  response.type('html').send(onwardPage(attempt.to));
}

/** Not a redirect: that would still count as coming from the provider's site, and go without the session's cookie. */
function onwardPage(to: string): string {
  return layout({
    title: 'Logged in',
    isPlain: true,
    refreshTo: to,
    body: html`<p class="empty">You are logged in. <a href="${to}">Go on</a></p>`,
  });
}

function cookieOptions({ secure }: Request) {
  return { httpOnly: true, sameSite: 'lax', path: COOKIE_PATH, secure } as const;
}

function cookieOf(request: Request): string {
  const [, value = ''] = /(?:^|;\s*)sendonce\.oidc=([\w.-]+)/.exec(request.get('cookie') ?? '') ?? [];
  return value;
}
