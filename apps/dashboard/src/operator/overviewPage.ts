/** The overview: what is going out, and what came of the last runs. */
import type { Reputation } from '@sendonce/shared/events';
import { NUMBER_NAMES, RUN_OUTCOME_NAMES, type RunRecord, recipientCount } from '@sendonce/shared/run';
import type { AccountState } from '@sendonce/shared/ses';
import type { Viewer } from './access/sessions.js';
import { type Html, page, type RenderTools } from './page.js';
import { pageHeader } from './pageHeader.js';

const REFRESH_SECONDS = 3;

export interface Overview {
  runs: RunRecord[];
  /** As the workers know it; undefined before the first of them has asked. */
  account: AccountState | undefined;
  reputation: Reputation;
}

export function overviewPage(viewer: Viewer, { runs, account, reputation }: Overview): string {
  return page(
    'Overview',
    ({ html }) => html`
      ${pageHeader({ html }, viewer)}
      <main>
        ${accountCard({ html }, account, reputation)}
        <h1>Runs</h1>
        ${runs.length === 0 ? html`<p class="empty">No run yet. Start one with <code>npm run sendonce -- run CAMPAIGN</code>, or wait for a schedule.</p>` : ''}
        ${runs.map((run) => runCard({ html }, run))}
      </main>`,
    { refreshSeconds: REFRESH_SECONDS },
  );
}

/** What SES lets the account do, and how near it is to what AWS does not let pass. */
function accountCard({ html }: RenderTools, account: AccountState | undefined, reputation: Reputation): Html {
  const { bounceRate, complaintRate, mails, reason } = reputation;
  const percent = (share: number): string => (mails === 0 ? '–' : `${(share * 100).toFixed(2)}%`);
  const quota = account?.quota;
  const facts: [string, string][] = [
    ['recipients a second', account ? account.maxRatePerSecond.toLocaleString('en') : '–'],
    [
      'used in 24 hours',
      quota
        ? `${quota.sent.toLocaleString('en')} of ${quota.max.toLocaleString('en')}`
        : account
          ? 'no limit'
          : '–',
    ],
    ['bounces', percent(bounceRate)],
    ['complaints', percent(complaintRate)],
  ];
  return html`
    <section class="card">
      <h3>Amazon SES ${account?.isSandbox ? html`<span class="status settling">sandbox</span>` : ''}</h3>
      ${account?.closed ? html`<p class="reason">${account.closed}</p>` : ''}
      ${reason ? html`<p class="reason">${reason}</p>` : ''}
      <dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </section>`;
}

function runCard({ html }: RenderTools, run: RunRecord): Html {
  const total = recipientCount(run);
  const done = total - run.numbers.queued - run.numbers.claimed;
  return html`
    <section class="card">
      <h3>${run.id} <span class="status ${run.status}">${run.status}</span></h3>
      ${run.pauseReason ? html`<p class="reason">${run.pauseReason}</p>` : ''}
      ${run.numbers.in_doubt > 0 ? html`<p><a href="/runs/${run.id}/in-doubt">${run.numbers.in_doubt.toLocaleString('en')} in doubt: look</a></p>` : ''}
      <progress max="${Math.max(total, 1)}" value="${done}" aria-label="${done} of ${total} recipients">${done} of ${total}</progress>
      <dl>${NUMBER_NAMES.map((name) => html`<div><dt>${name}</dt><dd>${run.numbers[name].toLocaleString('en')}</dd></div>`)}
        ${RUN_OUTCOME_NAMES.filter((name) => run.outcomes[name] > 0).map((name) => html`<div><dt>${name.replace('_', ' ')}</dt><dd>${run.outcomes[name].toLocaleString('en')}</dd></div>`)}</dl>
    </section>`;
}
