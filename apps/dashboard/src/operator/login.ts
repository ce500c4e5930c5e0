/**
 * The operators' login: a form, a signed session cookie, and a check that changes come from our own pages. The key of the
 * cookies is made once and lies in Redis, so that several dashboards share it and a restart logs nobody out.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Logger, RedisConnection } from '@sendonce/shared/runtime';
import cookieSession from 'cookie-session';
import express, { type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { page } from './page.js';

const SESSION_MS = 12 * 3_600_000;
const METHODS_WITHOUT_EFFECT = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface Credentials {
  user: string;
  password: string;
}

/** The password of the settings, or one that is made now and printed once. */
export function makeCredentials(
  { user, password }: { user: string; password?: string },
  logger: Logger,
): Credentials {
  if (password) return { user, password };
  const made = randomBytes(12).toString('base64url');
  // To the terminal and not to the log: logs are kept and shipped.
  process.stderr.write(`\nDashboard login: ${user} / ${made}  (set DASHBOARD_PASSWORD to choose it)\n\n`);
  logger.info('no DASHBOARD_PASSWORD: a password was made and printed once');
  return { user, password: made };
}

export async function readSessionKey(redis: RedisConnection, prefix: string): Promise<string> {
  const key = `${prefix}:1:session-key`;
  await redis.set(key, randomBytes(32).toString('base64url'), 'NX');
  const stored = await redis.get(key);
  if (!stored) throw new Error(`Redis did not keep the session key ${key}.`);
  return stored;
}

/** Sessions, the login page, and the wall: nothing behind this router is reached without a login. */
export function login(credentials: Credentials, sessionKey: string, logger: Logger): Router {
  const router = Router();
  router.use(
    cookieSession({
      name: 'sendonce',
      keys: [sessionKey],
      maxAge: SESSION_MS,
      httpOnly: true,
      sameSite: 'strict',
      overwrite: true,
    }),
  );
  router.use(refuseForeignChanges);
  router.get(
    '/login',
    (request, response) => void response.type('html').send(loginPage(safeTarget(request.query.to), '')),
  );
  router.post('/login', express.urlencoded({ extended: false, limit: '4kb' }), (request, response) => {
    const form = LoginForm.safeParse(request.body);
    if (
      form.success &&
      isEqual(form.data.user, credentials.user) &&
      isEqual(form.data.password, credentials.password)
    ) {
      request.session = { user: credentials.user, at: Date.now() };
      return response.redirect(303, safeTarget(form.data.to));
    }
    logger.warn({ ip: request.ip }, 'login failed');
    response
      .status(401)
      .type('html')
      .send(loginPage(safeTarget(form.data?.to), 'That is not the right name and password.'));
  });
  router.post('/logout', (request, response) => {
    request.session = null;
    response.redirect(303, '/login');
  });
  router.use((request, response, next) => {
    if (request.session?.user === credentials.user) return next();
    if (request.method === 'GET' && request.accepts('html')) {
      return response.redirect(303, `/login?${new URLSearchParams({ to: request.originalUrl })}`);
    }
    response.status(401).json({ error: 'Log in first.' });
  });
  return router;
}

const LoginForm = z.object({
  user: z.string().max(200),
  password: z.string().max(1_000),
  to: z.string().max(2_000).default('/'),
});

/**
 * A change must come from a page of ours. Browsers say where a request comes from in Sec-Fetch-Site; the cookie is
 * SameSite=Strict beside that. https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
const refuseForeignChanges: RequestHandler = (request, response, next) => {
  const site = request.get('sec-fetch-site');
  if (METHODS_WITHOUT_EFFECT.has(request.method) || site === undefined || site === 'same-origin')
    return next();
  response.status(403).json({ error: 'The request comes from another site.' });
};

/** Only paths of ours: a login page that sends people anywhere is an open redirect. */
function safeTarget(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) ? to : '/';
}

/** In constant time; hashing makes both sides equally long. */
function isEqual(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function loginPage(to: string, problem: string): string {
  return page(
    'Log in',
    ({ html }) => html`
    <form class="login" method="post" action="/login">
      <h1>Sendonce</h1>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
      <input type="hidden" name="to" value="${to}">
      <label>Name <input name="user" autocomplete="username" required autofocus></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
      <button>Log in</button>
    </form>`,
  );
}
