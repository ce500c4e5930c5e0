/** The audit trail as a page: newest first, older ones by a link. */
import { type AuditEntry, type AuditTrail, isAuditId } from '@sendonce/shared/audit';
import { Router } from 'express';
import { type Viewer, viewerOf } from './access/sessions.js';
import { type Html, page, type RenderTools } from './page.js';
import { pageHeader } from './pageHeader.js';
import { refuse } from './problemPage.js';

const ENTRIES_SHOWN = 100;

export function auditRoutes({ audit }: { audit: AuditTrail }): Router {
  const router = Router();
  router.get('/audit', async (request, response) => {
    const { before } = request.query;
    if (before !== undefined && !(typeof before === 'string' && isAuditId(before)))
      return refuse(request, response, 400, 'There is no such place in the audit trail.');
    const entries = await audit.list({ limit: ENTRIES_SHOWN, ...(before && { before }) });
    response.type('html').send(auditPage(viewerOf(response), entries));
  });
  return router;
}

function auditPage(viewer: Viewer, entries: AuditEntry[]): string {
  const last = entries.length === ENTRIES_SHOWN ? entries.at(-1) : undefined;
  return page(
    'Audit',
    ({ html }) => html`
      ${pageHeader({ html }, viewer)}
      <main>
        <h1>Who did what</h1>
        ${
          entries.length === 0
            ? html`<p class="empty">Nothing here.</p>`
            : html`<table><thead><tr><th>when (UTC)</th><th>who</th><th>by</th><th>what</th><th>of</th><th>outcome</th><th>detail</th></tr></thead>
              <tbody>${entries.map((entry) => auditRow({ html }, entry))}</tbody></table>`
        }
        ${last ? html`<p><a href="/audit?before=${last.id}">Older</a></p>` : ''}
      </main>`,
  );
}

function auditRow(
  { html }: RenderTools,
  { at, who, via, action, subject, outcome, detail }: AuditEntry,
): Html {
  const time = at.toISOString();
  return html`<tr><td><time datetime="${time}">${time.slice(0, 19).replace('T', ' ')}</time></td><td>${who}</td><td>${via}</td>
    <td>${action}</td><td>${subject}</td><td>${outcome}</td><td>${detail}</td></tr>`;
}
