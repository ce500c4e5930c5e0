/**
 * The wall around the operators' app. In this order: the session's cookie, no changes from other sites, logging in; and
 * nothing behind it is reached without a login, changes nothing without the session's token, or by a viewer.
 */
import type { AuditTrail } from '@sendonce/shared/audit';
import type { Clock, DashboardSettings, Logger, RedisConnection } from '@sendonce/shared/runtime';
import { type RequestHandler, Router } from 'express';
import { refuse } from '../problemPage.js';
import { auditBoard } from './boardAudit.js';
import { onlyOperatorsChange, parseForm, refuseForeignChanges, requireToken } from './changes.js';
import type { LoginLimits } from './loginAttempts.js';
import { OidcLogin } from './oidcLogin.js';
import { oidcRoutes } from './oidcRoutes.js';
import { passwordLogin } from './passwordLogin.js';
import { People } from './people.js';
import { readSessionKey, Sessions, sessionCookie, viewerOf } from './sessions.js';

export interface AccessServices {
  audit: AuditTrail;
  clock: Clock;
  logger: Logger;
  redis: RedisConnection;
  prefix: string;
  /** Default: see LoginLimits. */
  loginLimits?: LoginLimits;
}

/** @param boardPath where Bull Board is, whose pages know no tokens. */
export async function access(
  services: AccessServices,
  settings: DashboardSettings,
  boardPath: string,
): Promise<Router> {
  const { audit, logger, redis, prefix } = services;
  const sessionKey = await readSessionKey(redis, prefix);
  const people = await People.open(settings, sessionKey, logger);
  const oidc = settings.oidc && new OidcLogin(settings.oidc, settings.url, sessionKey);
  const sessions = new Sessions(services, sessionKey, (way, name, role) =>
    way === 'password' ? people.find(name) : oidc?.person(name, role),
  );
  const router = Router();
  router.use(sessionCookie(sessionKey));
  router.use(refuseForeignChanges);
  router.use(passwordLogin({ ...services, people, sessions, hasOidc: oidc !== undefined }));
  if (oidc) router.use(oidcRoutes({ ...services, oidc, sessions }, sessionKey));
  router.use(wall(sessions, boardPath));
  router.use(exceptUnder(boardPath, parseForm));
  router.use(requireToken(boardPath));
  router.post('/logout', async (request, response) => {
    await audit.record({ who: viewerOf(response).name, via: 'dashboard', action: 'logout', outcome: 'done' });
    await sessions.end(request);
    response.redirect(303, '/login');
  });
  router.use(onlyOperatorsChange);
  router.use(boardPath, auditBoard(audit, logger));
  return router;
}

function wall(sessions: Sessions, boardPath: string): RequestHandler {
  return async (request, response, next) => {
    const viewer = await sessions.read(request);
    if (viewer) {
      response.locals.viewer = viewer;
      // What is shown is somebody's own, and whoever sits here next may be somebody else. Bull Board's scripts are nobody's.
      if (!request.path.startsWith(`${boardPath}/static/`)) response.set('cache-control', 'no-store');
      return next();
    }
    if (request.method === 'GET' && request.accepts('html'))
      return response.redirect(303, `/login?${new URLSearchParams({ to: request.originalUrl })}`);
    refuse(
      request,
      response,
      401,
      'You are not logged in, or not any more. Nothing was changed. Log in first.',
    );
  };
}

/** Bull Board reads its requests' bodies itself. */
function exceptUnder(path: string, handler: RequestHandler): RequestHandler {
  return (request, response, next) =>
    request.path === path || request.path.startsWith(`${path}/`) ? next() : handler(request, response, next);
}
