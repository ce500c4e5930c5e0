/** The buttons of a run: those that make sense in its state. What can't be taken back asks once more, also without a script. */
import type { RunRecord } from '@sendonce/shared/run';
import type { Viewer } from '../access/sessions.js';
import { count } from '../format.js';
import { type Html, html } from '../html.js';
import { csrfField } from '../layout.js';

export function runActions(run: RunRecord, viewer: Viewer): Html {
  const { id, numbers, status } = run;
  const isOver = status === 'finished' || status === 'cancelled';
  const form = (verb: string, content: Html) =>
    html`<form method="post" action="/runs/${id}/${verb}">${csrfField(viewer)}${content}</form>`;
  return html`<div class="actions" role="group" aria-label="Actions">
    ${status === 'paused' ? form('resume', html`<button class="main" id="resume">Resume</button>`) : ''}
    ${!isOver && status !== 'paused' ? form('pause', html`<button id="pause">Pause</button>`) : ''}
    ${isOver ? '' : html`<details id="cancel"><summary>Cancel…</summary>${form('cancel', html`<span>${count(numbers.queued)} who are queued get nothing, for good.</span> <button class="danger">Cancel the run</button>`)}</details>`}
    ${
      numbers.rejected > 0 && status !== 'cancelled'
        ? html`<details id="retry"><summary>Try ${count(numbers.rejected)} rejected again…</summary>${form('retry', html`<label>What was repaired? <input name="reason" required maxlength="300" pattern="[^@]+" title="without addresses"></label> <button>Try them again</button>`)}</details>`
        : ''
    }
    <details id="find"><summary>Find a recipient…</summary>${form('find', html`<label>Address <input name="address" type="text" required maxlength="320" autocomplete="off"></label> <button>Find</button>`)}</details></div>`;
}
