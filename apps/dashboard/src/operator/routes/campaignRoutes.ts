/** `/campaigns`: what they are and how they go, "run now", and pausing a schedule. */
import { AudienceSourceError } from '@sendonce/shared/audience';
import type { AuditTrail } from '@sendonce/shared/audit';
import {
  CampaignFileError,
  type CampaignProblem,
  isMessageTemplate,
  type LoadedCampaign,
  loadCampaign,
  loadCampaigns,
} from '@sendonce/shared/campaign';
import { type ControlServices, nextRuns, type SchedulePauses, startRun } from '@sendonce/shared/control';
import { renderPreview, TemplateError } from '@sendonce/shared/message';
import { type Clock, type Logger, messageOf, UsageError } from '@sendonce/shared/runtime';
import { type Request, type Response, Router } from 'express';
import { viewerOf } from '../access/sessions.js';
import { cached } from '../cached.js';
import type { View } from '../layout.js';
import { livePage } from '../live.js';
import { type CampaignPage, campaignView } from '../pages/campaign.js';
import { campaignsView } from '../pages/campaigns.js';

const RUNS_SHOWN = 12;
/** Reading all campaigns reads the first rows of their audiences, too, ms. */
const FILES_MAX_AGE_MS = 5_000;
const PREVIEW_MAX_ROW = 100_000;
/** Nothing is loaded into a preview, and nothing in it runs: it is somebody's draft. */
const PREVIEW_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

export interface CampaignServices extends ControlServices {
  audit: AuditTrail;
  clock: Clock;
  logger: Logger;
  pauses: SchedulePauses;
}

type Loaded = { campaign: LoadedCampaign } | { problems: CampaignProblem[] } | undefined;

export function campaignRoutes(services: CampaignServices, campaignsDir: string): Router {
  const { audit, clock, logger, pauses, queues } = services;
  const all = cached(FILES_MAX_AGE_MS, () => loadCampaigns(campaignsDir));
  const router = Router();
  router.get(
    '/campaigns',
    livePage(async () => {
      const [{ campaigns, problems }, next, paused] = await Promise.all([
        all(),
        nextRuns(services),
        pauses.all(),
      ]);
      return campaignsView({ campaigns, problems, next, paused, now: clock.now() });
    }),
  );
  router.get(
    '/campaigns/:campaign',
    livePage((request, response) => campaignPage(services, campaignsDir, request, response)),
  );
  router.get('/campaigns/:campaign/preview.html', async (request, response, next) => {
    const loaded = await load(campaignsDir, request.params.campaign);
    const preview =
      loaded && 'campaign' in loaded ? await previewOf(loaded.campaign, rowOf(request)) : undefined;
    if (!preview || 'reason' in preview || preview.message.html === undefined) return next();
    response.set('content-security-policy', PREVIEW_CSP).type('html').send(preview.message.html);
  });
  router.post('/campaigns/:campaign/run', async (request, response, next) => {
    const { campaign: id } = request.params;
    const loaded = await load(campaignsDir, id);
    if (!loaded) return next();
    const isRunnable = 'campaign' in loaded && !isMessageTemplate(loaded.campaign.definition);
    if (!isRunnable) return response.redirect(303, `/campaigns/${id}`);
    const { record, created } = await startRun(services, loaded.campaign, {
      scheduledAt: new Date(clock.now()),
      origin: 'manual',
    });
    const who = viewerOf(response).name;
    await audit.record({
      who,
      via: 'dashboard',
      action: 'campaign.run',
      subject: id,
      outcome: created ? 'done' : 'nothing',
      detail: record.id,
    });
    logger.info({ run: record.id, created }, 'run started in the dashboard');
    response.redirect(303, `/runs/${record.id}`);
  });
  router.post('/campaigns/:campaign/pause', async (request, response, next) => {
    const { campaign: id } = request.params;
    if (!(await load(campaignsDir, id))) return next();
    const who = viewerOf(response).name;
    await pauses.pause(queues, id, { at: new Date(clock.now()), by: who });
    await audit.record({ who, via: 'dashboard', action: 'campaign.pause', subject: id, outcome: 'done' });
    response.redirect(303, `/campaigns/${id}`);
  });
  router.post('/campaigns/:campaign/resume', async (request, response) => {
    const { campaign: id } = request.params;
    const outcome = (await pauses.resume(id)) ? 'done' : 'nothing';
    await audit.record({
      who: viewerOf(response).name,
      via: 'dashboard',
      action: 'campaign.resume',
      subject: id,
      outcome,
    });
    response.redirect(303, `/campaigns/${id}`);
  });
  return router;
}

async function campaignPage(
  services: CampaignServices,
  campaignsDir: string,
  request: Request,
  response: Response,
): Promise<View | undefined> {
  const { clock, pauses, runs } = services;
  const id = String(request.params.campaign);
  const row = rowOf(request);
  const [loaded, paused, list] = await Promise.all([
    load(campaignsDir, id),
    pauses.all(),
    runs.list(RUNS_SHOWN, { campaign: id }),
  ]);
  if (!loaded && list.length === 0) return undefined;
  const snapshot = loaded && 'campaign' in loaded ? loaded.campaign : undefined;
  const page: CampaignPage = {
    id,
    snapshot,
    problems: loaded && 'problems' in loaded ? loaded.problems : [],
    preview: snapshot && (await previewOf(snapshot, row)),
    row,
    paused: paused.get(id),
    runs: list,
    now: clock.now(),
  };
  return campaignView(page, viewerOf(response));
}

/** Undefined: there is no such campaign. */
async function load(campaignsDir: string, id: string): Promise<Loaded> {
  try {
    return { campaign: await loadCampaign(campaignsDir, id) };
  } catch (error) {
    if (error instanceof CampaignFileError) return { problems: error.problems };
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

async function previewOf(
  campaign: LoadedCampaign,
  row: number,
): Promise<NonNullable<CampaignPage['preview']>> {
  try {
    return await renderPreview(campaign, row);
  } catch (error) {
    const isTold =
      error instanceof UsageError || error instanceof TemplateError || error instanceof AudienceSourceError;
    if (!isTold) throw error;
    return { reason: messageOf(error) };
  }
}

function rowOf({ query }: Request): number {
  const row = Number(query.row ?? 1);
  return Number.isInteger(row) && row >= 1 ? Math.min(row, PREVIEW_MAX_ROW) : 1;
}
