/** Older data are in Redis: what that means, and the two ways to go on. */
import type { Hold } from '@sendonce/shared/continuity';
import type { Viewer } from '../access/sessions.js';
import { time } from '../format.js';
import { html } from '../html.js';
import { csrfField, type View } from '../layout.js';

export function holdView(hold: (Hold & { dataAt: Date }) | undefined, viewer: Viewer): View {
  return {
    title: 'Hold',
    section: 'overview',
    body: hold
      ? html`<h1>Nothing is sent until somebody decides</h1>
        <p class="alert bad" role="alert">Since ${time(hold.since)}: ${hold.reason}.</p>
        <p>The data are of ${time(hold.dataAt)}. What was sent since then they do not know, and would send again.</p>
        ${viewer.role === 'operator' ? choices(viewer) : html`<p class="soft">An operator decides.</p>`}`
      : html`<h1>Nothing is held</h1><p class="good"><span aria-hidden="true">✓</span> Workers send what is due.</p>`,
  };
}

function choices(viewer: Viewer) {
  return html`<section class="card"><h3>It is a backup</h3>
      <p>Runs that are open in it are cancelled, and so is what was due since: nobody gets anything twice. Who had not been served gets nothing.</p>
      <form method="post" action="/hold/release">${csrfField(viewer)}<button name="way" value="skip">Skip what may have been sent</button></form></section>
    <section class="card"><h3>It is all there is</h3>
      <p>Nothing was sent since: the data are right.</p>
      <form method="post" action="/hold/release">${csrfField(viewer)}<label><input type="checkbox" required> I am sure that nothing was sent since then.</label>
      <button name="way" value="as-is" class="danger">Go on as the data say</button></form></section>`;
}
