/**
 * The operators' app: login, pages, Bull Board. Nothing of it is reached without a login, but for the health check, the files
 * that pages are made of, and the API, which has a wall of its own.
 */

import type { DashboardSettings, Logger } from '@sendonce/shared/runtime';
import express, { type ErrorRequestHandler, type Express, type Router } from 'express';
import helmet from 'helmet';
import { API_PATH } from '../api/api.js';
import { failedRequest } from '../failedRequest.js';
import { type AccessServices, access } from './access/access.js';
import { assets } from './assets.js';
import { BOARD_CSP, bullBoards } from './bullBoard.js';
import { PAGE_CSP, PLAIN_CSP } from './layout.js';
import { livePage } from './live.js';
import { type OverviewServices, overviewReader } from './overviewData.js';
import { overviewView } from './pages/overview.js';
import { refuse } from './problemPage.js';
import { auditRoutes } from './routes/auditRoutes.js';
import { type CampaignServices, campaignRoutes } from './routes/campaignRoutes.js';
import { type DoubtServices, doubtRoutes } from './routes/doubtRoutes.js';
import { holdRoutes } from './routes/holdRoutes.js';
import { type RunServices, runRoutes } from './routes/runRoutes.js';
import { type SuppressionServices, suppressionRoutes } from './routes/suppressionRoutes.js';

const QUEUES_PATH = '/queues';

export type OperatorServices = AccessServices &
  CampaignServices &
  DoubtServices &
  OverviewServices &
  RunServices &
  SuppressionServices;

export interface OperatorConfig {
  /** `CAMPAIGNS_DIR` */
  campaignsDir: string;
  dashboard: DashboardSettings;
  /** `FENCE_SECONDS`, ms. */
  fenceMs: number;
}

/** @param api has its own wall. */
export async function operatorApp(
  services: OperatorServices,
  { campaignsDir, dashboard, fenceMs }: OperatorConfig,
  api: Router,
): Promise<Express> {
  const { logger, queues } = services;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', dashboard.proxies);
  app.get('/healthz', (_, response) => void response.json({ ok: true }));
  // Without HTTPS of our own, asking browsers to insist on it would lock operators out.
  const common = { strictTransportSecurity: false };
  const secure = (directives: Record<string, string[]>) =>
    helmet({ ...common, contentSecurityPolicy: { useDefaults: false, directives } });
  // Every path gets one of them. Express holds a pattern in `use` to whole segments, so that one for "anything else" would
  // leave out all but "/".
  const [ofBoard, ofPlain, ofPages] = [secure(BOARD_CSP), secure(PLAIN_CSP), secure(PAGE_CSP)];
  app.use((request, response, next) => {
    if (/^\/queues(\/|$)/i.test(request.path)) return ofBoard(request, response, next);
    if (/^\/(api|login)(\/|$)/i.test(request.path)) return ofPlain(request, response, next);
    ofPages(request, response, next);
  });
  app.use(assets());
  app.use(API_PATH, api);
  app.use(await access(services, dashboard, QUEUES_PATH));
  // For the pages' script: whether the stream ended because the session did.
  app.get('/session', (_, response) => void response.json({ ok: true }));
  const readOverview = overviewReader(services);
  app.get(
    '/',
    livePage(async () => overviewView(await readOverview())),
  );
  app.use(doubtRoutes(services, fenceMs));
  app.use(runRoutes(services));
  app.use(campaignRoutes(services, campaignsDir));
  app.use(suppressionRoutes(services));
  app.use(auditRoutes(services));
  app.use(holdRoutes(services, campaignsDir));
  app.use(QUEUES_PATH, bullBoards(queues, QUEUES_PATH));
  app.use((request, response) => refuse(request, response, 404, 'There is nothing here.'));
  app.use(errorHandler(logger));
  return app;
}
function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const status = (error as { status?: number }).status ?? 503;
    if (status >= 500)
      logger.error(failedRequest(request, response, { status, path: request.path, error }), 'request failed');
    if (response.headersSent) return void response.socket?.destroy();
    refuse(request, response, status, problemText(status));
  };
}

function problemText(status: number): string {
  if (status === 413) return 'That is more than this page takes. Nothing was changed.';
  if (status >= 500) return 'Redis or this server has a problem. The log says which.';
  return 'The request is not understood. Nothing was changed.';
}
