/** The operators' app: login, overview, Bull Board. Nothing of it is reached without a login, but for the health check. */
import type { ReputationWindow } from '@sendonce/shared/events';
import type { DashboardSettings, Logger } from '@sendonce/shared/runtime';
import type { AccountState } from '@sendonce/shared/ses';
import express, { type ErrorRequestHandler, type Express } from 'express';
import helmet from 'helmet';
import { type AccessServices, access } from './access/access.js';
import { viewerOf } from './access/sessions.js';
import { auditRoutes } from './auditPage.js';
import { BOARD_CSP, bullBoards } from './bullBoard.js';
import { type DoubtsServices, doubts } from './doubtsPage.js';
import { overviewPage } from './overviewPage.js';
import { PAGE_CSP } from './page.js';
import { refuse } from './problemPage.js';

const QUEUES_PATH = '/queues';
const RUNS_SHOWN = 20;

export interface OperatorServices extends DoubtsServices, AccessServices {
  /** `FENCE_SECONDS`. */
  fenceMs: number;
  reputation: ReputationWindow;
  /** What is known of the SES account. */
  readAccount(): Promise<AccountState | undefined>;
}

export async function operatorApp(services: OperatorServices, settings: DashboardSettings): Promise<Express> {
  const { logger, queues, readAccount, reputation, runs } = services;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', settings.proxies);
  app.get('/healthz', (_, response) => void response.json({ ok: true }));
  // Without HTTPS of our own, asking browsers to insist on it would lock operators out.
  const common = { strictTransportSecurity: false };
  const secure = (directives: Record<string, string[]>) =>
    helmet({ ...common, contentSecurityPolicy: { useDefaults: false, directives } });
  app.use(QUEUES_PATH, secure(BOARD_CSP));
  app.use(/^\/(?!queues(\/|$))/, secure(PAGE_CSP));
  app.use(await access(services, settings, QUEUES_PATH));
  app.get('/', async (_, response) => {
    const [list, account, standing] = await Promise.all([
      runs.list(RUNS_SHOWN),
      readAccount(),
      reputation.read(),
    ]);
    response
      .type('html')
      .send(overviewPage(viewerOf(response), { runs: list, account, reputation: standing }));
  });
  app.use(doubts(services, services.fenceMs));
  app.use(auditRoutes(services));
  app.use(QUEUES_PATH, bullBoards(queues, QUEUES_PATH));
  app.use((request, response) => refuse(request, response, 404, 'There is nothing here.'));
  app.use(errorHandler(logger));
  return app;
}

function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const status = (error as { status?: number }).status ?? 503;
    if (status >= 500)
      logger.error({ method: request.method, path: request.path, err: error }, 'request failed');
    if (response.headersSent) return void response.socket?.destroy();
    refuse(request, response, status, problemText(status));
  };
}

function problemText(status: number): string {
  if (status === 413) return 'That is more than this page takes. Nothing was changed.';
  if (status >= 500) return 'Redis or this server has a problem. The log says which.';
  return 'The request is not understood. Nothing was changed.';
}
