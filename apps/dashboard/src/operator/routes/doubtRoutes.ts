/** `/runs/…/in-doubt`: who is in doubt, and an operator's word on it. */
import type { AuditTrail } from '@sendonce/shared/audit';
import { type ControlServices, type OpenDoubt, openDoubts, settleDoubts } from '@sendonce/shared/control';
import type { RunRecord } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import { type Response, Router } from 'express';
import { z } from 'zod';
import { viewerOf } from '../access/sessions.js';
import { layout } from '../layout.js';
import { doubtsView } from '../pages/doubts.js';
import { refuse } from '../problemPage.js';

/** More than that nobody decides one by one. */
const DOUBTS_SHOWN = 500;

const Verdict = z.object({
  verdict: z.enum(['sent', 'resend', 'show']),
  /** `chunk/position`; all of the run when it is left out. */
  only: z
    .string()
    .regex(/^\d{1,8}\/\d{1,6}$/)
    .optional(),
});

export interface DoubtServices extends ControlServices {
  audit: AuditTrail;
  clock: Clock;
  logger: Logger;
}

/** @param fenceMs nobody is sent again before a claim is so old. */
export function doubtRoutes(services: DoubtServices, fenceMs: number): Router {
  const { audit, runs } = services;
  const router = Router();
  router.get('/runs/:run/in-doubt', async (request, response, next) => {
    const run = await runs.find(request.params.run);
    if (!run) return next();
    await sendPage(services, run, response, { fenceMs, hasAddresses: false });
  });
  router.post('/runs/:run/in-doubt', async (request, response, next) => {
    const form = Verdict.safeParse(request.body);
    if (!form.success)
      return refuse(request, response, 400, 'The form is not understood. Nothing was changed.');
    const run = await runs.find(request.params.run);
    if (!run) return next();
    const who = viewerOf(response).name;
    const { verdict } = form.data;
    if (verdict === 'show') {
      await audit.record({
        who,
        via: 'dashboard',
        action: 'run.export',
        subject: run.id,
        outcome: 'done',
        detail: 'addresses of those in doubt',
      });
      return sendPage(services, run, response, { fenceMs, hasAddresses: true });
    }
    const count = await settle(services, run.id, { ...form.data, verdict, fenceMs, who });
    await audit.record({
      who,
      via: 'dashboard',
      action: 'doubts.settle',
      subject: run.id,
      outcome: count.settled > 0 ? 'done' : 'nothing',
      detail: describeVerdict(form.data, count),
    });
    response.redirect(303, `/runs/${run.id}/in-doubt`);
  });
  return router;
}

async function sendPage(
  services: DoubtServices,
  run: RunRecord,
  response: Response,
  options: { fenceMs: number; hasAddresses: boolean },
): Promise<void> {
  const shown: OpenDoubt[] = [];
  for await (const doubt of openDoubts(services, run.id)) if (shown.push(doubt) === DOUBTS_SHOWN) break;
  const viewer = viewerOf(response);
  response
    .type('html')
    .send(layout(doubtsView({ run, shown, now: services.clock.now(), ...options }, viewer), viewer));
}

async function settle(
  services: DoubtServices,
  run: string,
  {
    verdict,
    only = '',
    fenceMs,
    who,
  }: { verdict: 'sent' | 'resend'; only?: string | undefined; fenceMs: number; who: string },
): Promise<{ settled: number; tooYoung: number }> {
  const [chunk, position] = only.split('/').map(Number);
  const count = await settleDoubts(services, run, {
    verdict,
    fenceMs,
    at: services.clock.now(),
    reason: `by ${who}, in the dashboard`,
    ...(position !== undefined && { only: { chunk: chunk as number, position } }),
  });
  services.logger.info({ run, verdict, settled: count.settled }, 'doubts settled by an operator');
  return count;
}

function describeVerdict(
  { verdict, only }: z.infer<typeof Verdict>,
  { settled, tooYoung }: { settled: number; tooYoung: number },
): string {
  const whom = only ? `recipient ${only}` : 'all';
  return `${verdict}, ${whom}: ${settled} settled${tooYoung > 0 ? `, ${tooYoung} too young` : ''}`;
}
