/** Who gets no mail: looked up by address, put on the list, taken off, and many at once from a file. */
import { EVERYTHING, type ImportReport, type Suppression } from '@sendonce/shared/suppression';
import type { Viewer } from '../access/sessions.js';
import { count, time } from '../format.js';
import { type Html, html } from '../html.js';
import { csrfField, type View } from '../layout.js';

const ROWS_SHOWN = 50;

export interface SuppressionsPage {
  /** What was asked for, and what is known of it. */
  search?: { address: string; entries: readonly Suppression[] };
  /** What a change came to. */
  message?: string;
  /** What was wrong with the form. */
  problem?: string;
  imported?: ImportReport;
}

export function suppressionsView(
  { search, message, problem, imported }: SuppressionsPage,
  viewer: Viewer,
): View {
  const isOperator = viewer.role === 'operator';
  return {
    title: 'Suppressions',
    section: 'suppressions',
    body: html`<h1>Suppressions</h1>
      <p>Bounces, complaints, and whoever unsubscribed: they get no mail, whatever an audience says.</p>
      ${message && html`<p class="alert warn" role="status">${message}</p>`}${problem && html`<p class="alert" role="alert">${problem}</p>`}
      ${imported ? importCard(imported) : ''}
      ${isOperator ? '' : html`<p class="soft">Operators look addresses up.</p>`}
      ${
        isOperator &&
        html`<section class="card"><h3>Look up</h3><form method="post" action="/suppressions/find" class="verdict">${csrfField(viewer)}
        <label>Address <input name="address" required maxlength="320" autocomplete="off" value="${search?.address ?? ''}"></label> <button>Look up</button></form>
        ${search ? entries(search, viewer) : ''}</section>`
      }
      ${isOperator ? addCard(viewer) : ''}${isOperator ? uploadCard(viewer) : ''}`,
  };
}

function entries(
  { address, entries: found }: { address: string; entries: readonly Suppression[] },
  viewer: Viewer,
): Html {
  if (found.length === 0) return html`<p class="good">It is not on the list.</p>`;
  return html`<div class="scroll"><table><thead><tr><th>campaign</th><th>reason</th><th>since</th><th>run</th><th></th></tr></thead><tbody>${found.map(
    ({
      scope,
      reason,
      since,
      run,
    }) => html`<tr><td>${scope === EVERYTHING ? 'any' : scope}</td><td>${reason}</td><td>${time(since)}</td><td>${run ? html`<a href="/runs/${run}">${run}</a>` : ''}</td>
      <td>${viewer.role === 'operator' ? html`<form method="post" action="/suppressions/remove">${csrfField(viewer)}<input type="hidden" name="address" value="${address}"><input type="hidden" name="scope" value="${scope}"><button>Take off</button></form>` : ''}</td></tr>`,
  )}</tbody></table></div>`;
}

function addCard(viewer: Viewer): Html {
  return html`<section class="card"><h3>Add</h3><form method="post" action="/suppressions/add" class="verdict">${csrfField(viewer)}
    <label>Address <input name="address" required maxlength="320" autocomplete="off"></label>
    <label>Campaign <input name="scope" maxlength="100" placeholder="any"></label> <button>Put on the list</button></form></section>`;
}

function uploadCard(viewer: Viewer): Html {
  return html`<section class="card"><h3>Import</h3><form method="post" action="/suppressions/import" enctype="multipart/form-data" class="verdict">${csrfField(viewer)}
    <label>CSV with a column “address” (and maybe campaign, reason, time) <input name="file" type="file" accept=".csv,text/csv" required></label> <button>Import</button></form></section>`;
}

function importCard({ added, invalid, known, strengthened }: ImportReport): Html {
  return html`<section class="card" role="status"><h3>Imported</h3><p>${count(added)} added, ${count(known + strengthened)} were there already, ${count(invalid.length)} invalid.</p>
    ${invalid.length > 0 ? html`<ul>${invalid.slice(0, ROWS_SHOWN).map(({ line, invalid: reason }) => html`<li>line ${line}: ${reason}</li>`)}</ul>` : ''}</section>`;
}
