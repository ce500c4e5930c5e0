/** Logging in with a name and a password. */
import { type Response, Router } from 'express';
import { z } from 'zod';
import type { AccessServices } from './access.js';
import { parseForm } from './changes.js';
import { LoginAttempts } from './loginAttempts.js';
import { loginPage, safeTarget } from './loginPage.js';
import type { People } from './people.js';
import type { Sessions } from './sessions.js';

const LoginForm = z.object({
  user: z.string().max(200),
  password: z.string().max(1_000),
  to: z.string().max(2_000).default('/'),
});

export interface PasswordLoginServices extends AccessServices {
  people: People;
  sessions: Sessions;
  hasOidc: boolean;
}

/**
 * The form has no token, since there is no session yet to bind one to; that the request comes from our page is told by
 * Sec-Fetch-Site and Origin, which are checked before.
 */
export function passwordLogin(services: PasswordLoginServices): Router {
  const { audit, hasOidc, logger, people, sessions } = services;
  const attempts = new LoginAttempts(services, services.loginLimits);
  const view = { hasPasswords: !people.isEmpty, hasOidc };
  const answer = (response: Response, status: number, to: unknown, problem?: string): void =>
    void response
      .status(status)
      .type('html')
      .send(loginPage({ ...view, to: safeTarget(to), ...(problem && { problem }) }));
  const router = Router();
  router.get('/login', (request, response) => answer(response, 200, request.query.to));
  router.post('/login', parseForm, async (request, response) => {
    const form = LoginForm.safeParse(request.body);
    if (!form.success) return answer(response, 400, '/', 'The form is not understood. Please try again.');
    const { user, password, to } = form.data;
    const ip = request.ip ?? '';
    const waitSeconds = await attempts.begin(ip, user);
    if (waitSeconds !== undefined) {
      logger.warn({ ip }, 'login blocked');
      response.set('retry-after', String(waitSeconds));
      return answer(response, 429, to, tooManyText(waitSeconds));
    }
    const person = await people.check(user, password);
    if (!person) {
      // Not with the name as it was typed, unless it is one of ours: passwords get typed there.
      const who = people.find(user)?.name ?? 'unknown name';
      logger.warn({ ip }, 'login failed');
      await audit.record({
        who,
        via: 'dashboard',
        action: 'login.failed',
        outcome: 'refused',
        detail: `from ${ip}`,
      });
      return answer(response, 401, to, 'That is not the right name and password.');
    }
    await attempts.succeed(ip, user);
    await audit.record({
      who: person.name,
      via: 'dashboard',
      action: 'login',
      outcome: 'done',
      detail: `from ${ip}`,
    });
    sessions.start(request, 'password', person);
    response.redirect(303, safeTarget(to));
  });
  return router;
}

function tooManyText(waitSeconds: number): string {
  const minutes = Math.ceil(waitSeconds / 60);
  return `There were too many attempts. Nobody gets in here by password for ${minutes} min.`;
}
