/** Who is in doubt in a run, and the two things that an operator can say about them. */
import type { AuditTrail } from '@sendonce/shared/audit';
import { type ControlServices, type OpenDoubt, openDoubts, settleDoubts } from '@sendonce/shared/control';
import { type RunRecord, UnknownRunError } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import { Router } from 'express';
import { z } from 'zod';
import { type Viewer, viewerOf } from './access/sessions.js';
import { type Html, page, type RenderTools } from './page.js';
import { csrfField, pageHeader } from './pageHeader.js';
import { refuse } from './problemPage.js';

/** More than that nobody decides one by one. */
const DOUBTS_SHOWN = 500;

const Verdict = z.object({
  verdict: z.enum(['sent', 'resend']),
  /** `chunk/position`; all of the run when it is left out. */
  only: z
    .string()
    .regex(/^\d{1,8}\/\d{1,6}$/)
    .optional(),
});

export interface DoubtsServices extends ControlServices {
  audit: AuditTrail;
  clock: Clock;
  logger: Logger;
}

/** @param fenceMs nobody is sent again before a claim is so old. */
export function doubts(services: DoubtsServices, fenceMs: number): Router {
  const { audit, clock, runs } = services;
  const router = Router();
  router.get('/runs/:run/in-doubt', async (request, response, next) => {
    const { run } = request.params;
    const record = await runs.find(run);
    if (!record) return void next();
    const shown: OpenDoubt[] = [];
    for await (const doubt of openDoubts(services, run)) if (shown.push(doubt) === DOUBTS_SHOWN) break;
    response.type('html').send(doubtsPage(viewerOf(response), record, shown, clock.now() - fenceMs));
  });
  router.post('/runs/:run/in-doubt', async (request, response, next) => {
    const { run } = request.params;
    const form = Verdict.safeParse(request.body);
    if (!form.success)
      return refuse(request, response, 400, 'The form is not understood. Nothing was changed.');
    const who = viewerOf(response).name;
    const count = await settle(services, run, { ...form.data, fenceMs, who }).catch((error: unknown) => {
      if (!(error instanceof UnknownRunError)) throw error;
    });
    if (!count) return void next();
    await audit.record({
      who,
      via: 'dashboard',
      action: 'doubts.settle',
      subject: run,
      outcome: count.settled > 0 ? 'done' : 'nothing',
      detail: describeVerdict(form.data, count),
    });
    response.redirect(303, `/runs/${encodeURIComponent(run)}/in-doubt`);
  });
  return router;
}

async function settle(
  services: DoubtsServices,
  run: string,
  { verdict, only = '', fenceMs, who }: z.infer<typeof Verdict> & { fenceMs: number; who: string },
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

/** @param claimedBefore ms; younger ones can't be sent again yet. */
function doubtsPage(
  viewer: Viewer,
  { id, numbers }: RunRecord,
  shown: OpenDoubt[],
  claimedBefore: number,
): string {
  const isOldEnough = ({ claimedAt }: OpenDoubt) => claimedAt.getTime() <= claimedBefore;
  return page(
    `In doubt in ${id}`,
    ({ html }) => html`
      ${pageHeader({ html }, viewer)}
      <main>
        <h1>${numbers.in_doubt.toLocaleString('en')} in doubt in ${id}</h1>
        ${
          shown.length === 0
            ? html`<p class="empty">Nobody is in doubt.</p>`
            : html`
              <p>SES was asked to send these mails, and nobody knows whether it did: no event with their tags has come. Look for the
                mail (the SES console, the recipient), then say what happened. Nobody can be sent again while SES may still accept
                the first request.</p>
              <section class="card">${verdictForm({ html }, 'All of them:', viewer, { isOldEnough: shown.some(isOldEnough) })}</section>
              <table><thead><tr><th>recipient</th><th>claimed (UTC)</th><th></th></tr></thead><tbody>${shown.map((doubt) => doubtRow({ html }, doubt, verdictForm({ html }, '', viewer, { only: `${doubt.chunk}/${doubt.position}`, isOldEnough: isOldEnough(doubt) })))}</tbody></table>
              ${numbers.in_doubt > shown.length ? html`<p>The first ${shown.length} are shown. <code>sendonce in-doubt ${id}</code> lists all.</p>` : ''}`
        }
      </main>`,
  );
}

function doubtRow({ html }: RenderTools, { address, claimedAt }: OpenDoubt, form: Html): Html {
  return html`<tr><td>${address}</td><td>${claimedAt.toISOString().slice(0, 19).replace('T', ' ')}</td><td>${form}</td></tr>`;
}

/** Viewers read what operators may say. */
function verdictForm(
  { html }: RenderTools,
  label: string,
  viewer: Viewer,
  { only, isOldEnough }: { only?: string; isOldEnough: boolean },
): Html {
  if (viewer.role !== 'operator') return html`<span>An operator decides.</span>`;
  return html`<form method="post" class="verdict">${csrfField({ html }, viewer)}${label}
    ${only ? html`<input type="hidden" name="only" value="${only}">` : ''}
    <button name="verdict" value="sent">It was sent</button>
    ${
      isOldEnough
        ? html`<button name="verdict" value="resend">Send it again</button>`
        : html`<button disabled title="SES may still accept the first request">Send it again: not yet</button>`
    }</form>`;
}
