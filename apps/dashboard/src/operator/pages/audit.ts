/** The audit trail as a page: newest first, older ones by a link. */
import type { AuditEntry } from '@sendonce/shared/audit';
import { time } from '../format.js';
import { html } from '../html.js';
import type { View } from '../layout.js';

export function auditView(entries: readonly AuditEntry[], older: string | undefined): View {
  const row = ({ at, who, via, action, subject, outcome, detail }: AuditEntry) =>
    html`<tr><td>${time(at)}</td><td>${who}</td><td>${via}</td><td>${action}</td><td>${subject}</td><td>${outcome}</td><td>${detail}</td></tr>`;
  return {
    title: 'Audit',
    section: 'audit',
    body: html`<h1>Who did what</h1>${
      entries.length === 0
        ? html`<p class="empty card">Nothing here.</p>`
        : html`<div class="scroll"><table><thead><tr><th>when</th><th>who</th><th>by</th><th>what</th><th>of</th><th>outcome</th><th>detail</th></tr></thead><tbody>${entries.map(row)}</tbody></table></div>`
    }${older ? html`<p><a href="/audit?before=${older}" rel="next">Older</a></p>` : ''}`,
  };
}
