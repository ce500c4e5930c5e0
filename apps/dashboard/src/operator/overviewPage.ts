/** The overview: what is going out, and what came of the last runs. */
import { NUMBER_NAMES, RUN_OUTCOME_NAMES, type RunRecord, recipientCount } from '@sendonce/shared/run';
import { type Html, page, type RenderTools } from './page.js';

const REFRESH_SECONDS = 3;

export function overviewPage(runs: RunRecord[]): string {
  return page(
    'Overview',
    ({ html }) => html`
      <header><a class="brand" href="/">Sendonce</a><a href="/queues">Queues</a>
        <form method="post" action="/logout"><button>Log out</button></form></header>
      <main>
        <h1>Runs</h1>
        ${runs.length === 0 ? html`<p class="empty">No run yet. Start one with <code>npm run sendonce -- run CAMPAIGN</code>, or wait for a schedule.</p>` : ''}
        ${runs.map((run) => runCard({ html }, run))}
      </main>`,
    { refreshSeconds: REFRESH_SECONDS },
  );
}

function runCard({ html }: RenderTools, run: RunRecord): Html {
  const total = recipientCount(run);
  const done = total - run.numbers.queued - run.numbers.claimed;
  return html`
    <section class="card">
      <h3>${run.id} <span class="status ${run.status}">${run.status}</span></h3>
      ${run.pauseReason ? html`<p class="reason">${run.pauseReason}</p>` : ''}
      <progress max="${Math.max(total, 1)}" value="${done}" aria-label="${done} of ${total} recipients">${done} of ${total}</progress>
      <dl>${NUMBER_NAMES.map((name) => html`<div><dt>${name}</dt><dd>${run.numbers[name].toLocaleString('en')}</dd></div>`)}
        ${RUN_OUTCOME_NAMES.filter((name) => run.outcomes[name] > 0).map((name) => html`<div><dt>${name.replace('_', ' ')}</dt><dd>${run.outcomes[name].toLocaleString('en')}</dd></div>`)}</dl>
    </section>`;
}
