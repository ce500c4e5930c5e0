/** Who is in doubt in a run, the evidence, and the two things that an operator can say about them. */
import { maskAddress } from '@sendonce/shared/audience';
import type { OpenDoubt } from '@sendonce/shared/control';
import type { RunRecord } from '@sendonce/shared/run';
import type { Viewer } from '../access/sessions.js';
import { count, relative, time } from '../format.js';
import { type Html, html } from '../html.js';
import { csrfField, type View } from '../layout.js';

export interface DoubtsPage {
  run: RunRecord;
  shown: readonly OpenDoubt[];
  fenceMs: number;
  /** Somebody has asked for them; otherwise they are masked. */
  hasAddresses: boolean;
  now: number;
}

export function doubtsView(
  { run: { id, numbers }, shown, fenceMs, hasAddresses, now }: DoubtsPage,
  viewer: Viewer,
): View {
  const isOldEnough = ({ claimedAt }: OpenDoubt) => claimedAt.getTime() + fenceMs <= now;
  const row = (
    doubt: OpenDoubt,
  ) => html`<tr><td>${hasAddresses ? doubt.address : maskAddress(doubt.address)}</td><td>${time(doubt.claimedAt)}</td>
    <td>${doubt.reason || 'no answer came: the worker died, or was cut off'}. No event with this recipient’s tag has come.
      ${isOldEnough(doubt) ? 'SES can’t accept the request any more.' : html`SES may accept the request until ${relative(new Date(doubt.claimedAt.getTime() + fenceMs), now)}.`}</td>
    <td>${viewer.role === 'operator' ? verdictForm(viewer, isOldEnough(doubt), `${doubt.chunk}/${doubt.position}`) : ''}</td></tr>`;
  return {
    title: `In doubt in ${id}`,
    section: 'runs',
    body: html`<h1>${count(numbers.in_doubt)} in doubt in <a href="/runs/${id}">${id}</a></h1>
      ${
        shown.length === 0
          ? html`<p class="empty card">Nobody is in doubt.</p>`
          : html`<p>SES was asked to send these mails, and nobody knows whether it did. Look for the mail (the SES console, the recipient), then
              say what happened.</p>
            ${viewer.role === 'operator' ? html`<section class="card"><h3>All of them</h3>${verdictForm(viewer, shown.some(isOldEnough))}${hasAddresses ? '' : html`<form method="post" class="verdict">${csrfField(viewer)}<button name="verdict" value="show">Show the addresses</button></form>`}</section>` : ''}
            <div class="scroll"><table><thead><tr><th>recipient</th><th>claimed</th><th>evidence</th><th>what happened</th></tr></thead><tbody>${shown.map(row)}</tbody></table></div>
            ${numbers.in_doubt > shown.length ? html`<p>The first ${count(shown.length)} are shown. <code>sendonce in-doubt ${id}</code> lists all.</p>` : ''}`
      }`,
  };
}

function verdictForm(viewer: Viewer, isOldEnough: boolean, only?: string): Html {
  return html`<form method="post" class="verdict">${csrfField(viewer)}${only && html`<input type="hidden" name="only" value="${only}">`}
    <button name="verdict" value="sent">It was sent</button>
    ${isOldEnough ? html`<button name="verdict" value="resend">Send it again</button>` : html`<button disabled>Send it again: not yet</button>`}</form>`;
}
