/**
 * The operators' app: login, overview, Bull Board. Nothing of it is reached without a login, but for the health check and
 * the API, which has a wall of its own.
 */
import type { ReputationWindow } from '@sendonce/shared/events';
import type { Logger } from '@sendonce/shared/runtime';
import type { AccountState } from '@sendonce/shared/ses';
import express, { type ErrorRequestHandler, type Express, type Router } from 'express';
import helmet from 'helmet';
import { API_PATH } from '../api/api.js';
import { BOARD_CSP, bullBoard } from './bullBoard.js';
import { type DoubtsServices, doubts } from './doubtsPage.js';
import { type Credentials, login } from './login.js';
import { overviewPage } from './overviewPage.js';
import { PAGE_CSP, page } from './page.js';

const QUEUES_PATH = '/queues';
const RUNS_SHOWN = 20;

export interface OperatorServices extends DoubtsServices {
  /** `FENCE_SECONDS`. */
  fenceMs: number;
  reputation: ReputationWindow;
  /** What is known of the SES account. */
  readAccount(): Promise<AccountState | undefined>;
}

export function operatorApp(
  services: OperatorServices,
  credentials: Credentials,
  sessionKey: string,
  api: Router,
): Express {
  const { logger, queues, readAccount, reputation, runs } = services;
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthz', (_, response) => void response.json({ ok: true }));
  // Without HTTPS of our own, asking browsers to insist on it would lock operators out.
  const common = { strictTransportSecurity: false };
  const secure = (directives: Record<string, string[]>) =>
    helmet({ ...common, contentSecurityPolicy: { useDefaults: false, directives } });
  // All paths get one or the other. Express holds a pattern in `use` to whole segments, so that one for "anything else"
  // would leave out all but "/".
  const [ofBoard, ofPages] = [secure(BOARD_CSP), secure(PAGE_CSP)];
  app.use((request, response, next) =>
    (/^\/queues(\/|$)/i.test(request.path) ? ofBoard : ofPages)(request, response, next),
  );
  app.use(API_PATH, api);
  app.use(login(credentials, sessionKey, logger));
  app.get('/', async (_, response) => {
    const [list, account, standing] = await Promise.all([
      runs.list(RUNS_SHOWN),
      readAccount(),
      reputation.read(),
    ]);
    response.type('html').send(overviewPage({ runs: list, account, reputation: standing }));
  });
  app.use(doubts(services, services.fenceMs));
  app.use(QUEUES_PATH, bullBoard(queues, QUEUES_PATH));
  app.use(
    (_, response) => void response.status(404).type('html').send(messagePage('There is nothing here.')),
  );
  app.use(errorHandler(logger));
  return app;
}

function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const status = (error as { status?: number }).status ?? 503;
    if (status >= 500)
      logger.error({ method: request.method, path: request.path, err: error }, 'request failed');
    if (response.headersSent) return void response.socket?.destroy();
    const text =
      status >= 500 ? 'Redis or this server has a problem. The log says which.' : 'The request is wrong.';
    response.status(status).type('html').send(messagePage(text));
  };
}

function messagePage(text: string): string {
  return page(
    'Sendonce',
    ({ html }) => html`<main><p class="empty">${text} <a href="/">Overview</a></p></main>`,
  );
}
