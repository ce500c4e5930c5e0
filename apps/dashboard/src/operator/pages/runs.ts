/** All runs, or a campaign's, a page at a time. */
import type { RunRecord } from '@sendonce/shared/run';
import { html } from '../html.js';
import type { View } from '../layout.js';
import { runTable } from './runParts.js';

export interface RunsPage {
  runs: readonly RunRecord[];
  campaign: string | undefined;
  /** The last run of this page, when there are more. */
  next: string | undefined;
}

export function runsView({ runs, campaign, next }: RunsPage): View {
  const query = new URLSearchParams({ ...(campaign && { campaign }), ...(next && { before: next }) });
  return {
    title: 'Runs',
    section: 'runs',
    body: html`<h1>${campaign ? html`Runs of <a href="/campaigns/${campaign}">${campaign}</a>` : 'Runs'}</h1>
      <div id="runs" data-live>${runs.length === 0 ? html`<p class="empty card">No run yet.</p>` : runTable(runs)}</div>
      ${next ? html`<p><a href="/runs?${query.toString()}" rel="next">Older runs</a></p>` : ''}`,
  };
}
