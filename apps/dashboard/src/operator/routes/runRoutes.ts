/** `/runs`: looking at runs, and what operators do to one. Each deed is in the audit trail before its answer. */

import { pipeline } from 'node:stream/promises';
import type { AuditAction, AuditTrail } from '@sendonce/shared/audit';
import {
  type ControlServices,
  cancelRun,
  failureReasons,
  findRecipients,
  pauseRun,
  resumeRun,
  retryRejected,
} from '@sendonce/shared/control';
import type { MailOutcomes } from '@sendonce/shared/events';
import type { Clicks } from '@sendonce/shared/links';
import { EXPORT_COLUMNS, exportRows, runReport } from '@sendonce/shared/report';
import { type RunRecord, UnknownRunError } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import type { SuppressionList } from '@sendonce/shared/suppression';
import { stringify } from 'csv-stringify';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { viewerOf } from '../access/sessions.js';
import { layout, type View } from '../layout.js';
import { livePage } from '../live.js';
import { recipientView, runView } from '../pages/run.js';
import { runsView } from '../pages/runs.js';
import { refuse } from '../problemPage.js';

const RUNS_A_PAGE = 50;

export interface RunServices extends ControlServices {
  audit: AuditTrail;
  clicks: Clicks;
  clock: Clock;
  logger: Logger;
  outcomes: MailOutcomes;
  suppressions: SuppressionList;
}

export function runRoutes(services: RunServices): Router {
  const router = Router();
  router.get(
    '/runs',
    livePage((request) => runsPage(services, request)),
  );
  router.get(
    '/runs/:run',
    livePage((request, response) => runPage(services, request, response)),
  );
  for (const deed of DEEDS)
    router.post(`/runs/:run/${deed.verb}`, async (request, response, next) => {
      const run = await services.runs.find(request.params.run);
      if (!run) return next();
      await act(services, deed, run, request, response);
    });
  router.post('/runs/:run/find', async (request, response, next) => {
    const run = await services.runs.find(request.params.run);
    if (!run) return next();
    const form = z.object({ address: z.string().trim().min(3).max(320) }).safeParse(request.body);
    if (!form.success) return refuse(request, response, 400, 'Which address? The field was empty.');
    const found = await findRecipients(services, run.id, form.data.address);
    response.type('html').send(layout(recipientView(run.id, found), viewerOf(response)));
  });
  router.post('/runs/:run/export', async (request, response, next) => {
    const run = await services.runs.find(request.params.run);
    if (!run) return next();
    await sendExport(services, run.id, response);
  });
  return router;
}

async function runsPage({ runs }: RunServices, { query }: Request): Promise<View | undefined> {
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);
  const [campaign, before] = [text(query.campaign), text(query.before)];
  try {
    const found = await runs.list(RUNS_A_PAGE + 1, {
      ...(campaign && { campaign }),
      ...(before && { before }),
    });
    const shown = found.slice(0, RUNS_A_PAGE);
    return runsView({
      runs: shown,
      campaign,
      next: found.length > RUNS_A_PAGE ? shown.at(-1)?.id : undefined,
    });
  } catch (error) {
    if (error instanceof UnknownRunError) return undefined;
    throw error;
  }
}

async function runPage(
  services: RunServices,
  request: Request,
  response: Response,
): Promise<View | undefined> {
  const { clock, runs } = services;
  const id = String(request.params.run);
  const run = await runs.find(id);
  if (!run) return undefined;
  const hasFailures = run.numbers.rejected + run.numbers.in_doubt > 0;
  const [report, history, snapshot, failures] = await Promise.all([
    runReport(services, id),
    runs.history(id),
    runs.snapshot(id),
    hasFailures ? failureReasons(services, id) : undefined,
  ]);
  const { schedule } = snapshot.definition;
  const zone = schedule && 'timezone' in schedule ? schedule.timezone : 'UTC';
  return runView({ report, history, failures, zone, now: clock.now() }, viewerOf(response));
}

interface Deed {
  verb: string;
  action: AuditAction;
  form: z.ZodType<{ reason: string }>;
  /** What it came to; empty: there was nothing to do. */
  apply(services: RunServices, run: RunRecord, options: { who: string; reason: string }): Promise<string>;
}

const NOTHING_ASKED = z.object({ reason: z.string().default('') });
/** Goes into the journal and the trail, which hold no addresses. */
const REASON_ASKED = z.object({
  reason: z
    .string()
    .trim()
    .min(1)
    .max(300)
    .regex(/^[^@]*$/),
});

const DEEDS: Deed[] = [
  {
    verb: 'pause',
    action: 'run.pause',
    form: NOTHING_ASKED,
    apply: async (services, { id }, { who }) => ((await pauseRun(services, id, `by ${who}`)) ? 'paused' : ''),
  },
  {
    verb: 'resume',
    action: 'run.resume',
    form: NOTHING_ASKED,
    apply: async (services, { id }) => ((await resumeRun(services, id)) ? 'resumed' : ''),
  },
  {
    verb: 'cancel',
    action: 'run.cancel',
    form: NOTHING_ASKED,
    apply: async (services, { id }, { who }) =>
      (await cancelRun(services, id, `by ${who}`)) ? 'cancelled' : '',
  },
  {
    verb: 'retry',
    action: 'run.retry',
    form: REASON_ASKED,
    apply: async (services, { id }, { who, reason }) => {
      const count = await retryRejected(services, id, {
        reason: `${reason} (${who})`,
        at: services.clock.now(),
      });
      return count > 0 ? `${reason}: ${count} tried again` : '';
    },
  },
];

async function act(
  services: RunServices,
  deed: Deed,
  run: RunRecord,
  request: Request,
  response: Response,
): Promise<void> {
  const form = deed.form.safeParse(request.body ?? {});
  if (!form.success)
    return refuse(
      request,
      response,
      400,
      'Say what was repaired, in up to 300 characters, without addresses.',
    );
  const { name: who } = viewerOf(response);
  const detail = await deed.apply(services, run, { who, reason: form.data.reason });
  const outcome = detail ? 'done' : 'nothing';
  await services.audit.record({
    who,
    via: 'dashboard',
    action: deed.action,
    subject: run.id,
    outcome,
    detail,
  });
  services.logger.info({ run: run.id, verb: deed.verb, outcome }, 'run controlled in the dashboard');
  response.redirect(303, `/runs/${run.id}`);
}

/** Row by row, as fast as the browser takes it. */
async function sendExport(services: RunServices, run: string, response: Response): Promise<void> {
  const { audit } = services;
  const { name: who } = viewerOf(response);
  await audit.record({ who, via: 'dashboard', action: 'run.export', subject: run, outcome: 'done' });
  response.set({ 'content-disposition': `attachment; filename="${run}.csv"` }).type('text/csv');
  const csv = stringify({ header: true, columns: [...EXPORT_COLUMNS] });
  await pipeline(exportRows(services, run), csv, response);
}
