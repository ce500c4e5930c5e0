/** Who is in doubt in a run, and the two things that an operator can say about them. */
import { type ControlServices, type OpenDoubt, openDoubts, settleDoubts } from '@sendonce/shared/control';
import { type RunRecord, UnknownRunError } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import express, { Router } from 'express';
import { z } from 'zod';
import { type Html, page, type RenderTools } from './page.js';

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
  clock: Clock;
  logger: Logger;
}

/** @param fenceMs nobody is sent again before a claim is so old. */
export function doubts(services: DoubtsServices, fenceMs: number): Router {
  const { clock, logger, runs } = services;
  const router = Router();
  router.get('/runs/:run/in-doubt', async (request, response, next) => {
    const { run } = request.params;
    const record = await runs.find(run);
    if (!record) return void next();
    const shown: OpenDoubt[] = [];
    for await (const doubt of openDoubts(services, run)) if (shown.push(doubt) === DOUBTS_SHOWN) break;
    response.type('html').send(doubtsPage(record, shown, clock.now() - fenceMs));
  });
  router.post(
    '/runs/:run/in-doubt',
    express.urlencoded({ extended: false, limit: '4kb' }),
    async (request, response, next) => {
      const { run } = request.params as { run: string };
      const form = Verdict.safeParse(request.body);
      if (!form.success)
        return void response
          .status(400)
          .type('html')
          .send(
            page(
              'In doubt',
              ({ html }) => html`<main><p class="empty">The form is not understood.</p></main>`,
            ),
          );
      const { verdict, only = '' } = form.data;
      const [chunk, position] = only.split('/').map(Number);
      try {
        const { settled } = await settleDoubts(services, run, {
          verdict,
          fenceMs,
          at: clock.now(),
          reason: 'by an operator, in the dashboard',
          ...(position !== undefined && { only: { chunk: chunk as number, position } }),
        });
        logger.info({ run, verdict, settled }, 'doubts settled by an operator');
      } catch (error) {
        if (error instanceof UnknownRunError) return void next();
        throw error;
      }
      response.redirect(303, `/runs/${encodeURIComponent(run)}/in-doubt`);
    },
  );
  return router;
}

/** @param claimedBefore ms; younger ones can't be sent again yet. */
function doubtsPage({ id, numbers }: RunRecord, shown: OpenDoubt[], claimedBefore: number): string {
  return page(
    `In doubt in ${id}`,
    ({ html }) => html`
      <header><a class="brand" href="/">Sendonce</a><a href="/queues">Queues</a></header>
      <main>
        <h1>${numbers.in_doubt.toLocaleString('en')} in doubt in ${id}</h1>
        ${
          shown.length === 0
            ? html`<p class="empty">Nobody is in doubt.</p>`
            : html`
              <p>SES was asked to send these mails, and nobody knows whether it did: no event with their tags has come. Look for the
                mail (the SES console, the recipient), then say what happened. Nobody can be sent again while SES may still accept
                the first request.</p>
              <section class="card">${verdictForm({ html }, 'All of them:', { isOldEnough: shown.some(({ claimedAt }) => claimedAt.getTime() <= claimedBefore) })}</section>
              <table><thead><tr><th>recipient</th><th>claimed (UTC)</th><th></th></tr></thead><tbody>${shown.map((doubt) => doubtRow({ html }, doubt, claimedBefore))}</tbody></table>
              ${numbers.in_doubt > shown.length ? html`<p>The first ${shown.length} are shown. <code>sendonce in-doubt ${id}</code> lists all.</p>` : ''}`
        }
      </main>`,
  );
}

function doubtRow(
  { html }: RenderTools,
  { address, chunk, position, claimedAt }: OpenDoubt,
  claimedBefore: number,
): Html {
  const isOldEnough = claimedAt.getTime() <= claimedBefore;
  return html`<tr><td>${address}</td><td>${claimedAt.toISOString().slice(0, 19).replace('T', ' ')}</td>
    <td>${verdictForm({ html }, '', { only: `${chunk}/${position}`, isOldEnough })}</td></tr>`;
}

function verdictForm(
  { html }: RenderTools,
  label: string,
  { only, isOldEnough }: { only?: string; isOldEnough: boolean },
): Html {
  return html`<form method="post" class="verdict">${label}
    ${only ? html`<input type="hidden" name="only" value="${only}">` : ''}
    <button name="verdict" value="sent">It was sent</button>
    ${
      isOldEnough
        ? html`<button name="verdict" value="resend">Send it again</button>`
        : html`<button disabled title="SES may still accept the first request">Send it again: not yet</button>`
    }</form>`;
}
