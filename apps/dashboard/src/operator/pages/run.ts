/** One run: how far it is, its numbers, what failed and why, what was clicked, and what an operator can do about it. */
import type { FailureReasons, FoundRecipient } from '@sendonce/shared/control';
import type { RunReport } from '@sendonce/shared/report';
import {
  type HistoryPoint,
  NUMBER_NAMES,
  RUN_OUTCOME_NAMES,
  type RunRecord,
  recipientCount,
} from '@sendonce/shared/run';
import type { Viewer } from '../access/sessions.js';
import { count, percent, relative, time } from '../format.js';
import { type Html, html } from '../html.js';
import { csrfField, type View } from '../layout.js';
import { chart } from './chart.js';
import { facts } from './overview.js';
import { runActions } from './runActions.js';
import { left, progress, rateOf, rateText, runTitle, status, timeToGo, waitingParts } from './runParts.js';

const LINKS_SHOWN = 15;

export interface RunPage {
  report: RunReport;
  history: readonly HistoryPoint[];
  /** Undefined: nobody failed. */
  failures: FailureReasons | undefined;
  /** Of the campaign's schedule. */
  zone: string;
  now: number;
}

export function runView(page: RunPage, viewer: Viewer): View {
  const { report, zone } = page;
  const { run } = report;
  return {
    title: `${run.id}: ${run.status}`,
    section: 'runs',
    body: html`<h1>${runTitle(run)}</h1>
      <section id="state" data-live>${stateCard(page)}${viewer.role === 'operator' ? runActions(run, viewer) : ''}</section>
      <section id="numbers" data-live>${numbersCard(run)}</section>
      <section id="chart" data-live>${historyChart(page.history)}</section>
      <section id="failures" data-live>${failuresCard(run, page.failures)}</section>
      <section id="clicks" data-live>${clicksCard(report)}</section>
      <section class="card"><h3>Times</h3>${facts([
        ['campaign', html`<a href="/campaigns/${run.campaign}">${run.campaign}</a>`],
        ['scheduled', timeOf(run.scheduledAt, zone)],
        ['begun', timeOf(run.createdAt, zone)],
        [
          run.origin === 'messages' ? 'took in messages until' : 'audience frozen',
          timeOf(run.frozenAt, zone),
        ],
        ['finished', timeOf(run.finishedAt, zone)],
        ['started by', run.origin],
      ])}<p><a href="/queues/queue/${run.origin === 'messages' ? 'messages' : 'sends'}">Its jobs in the queue</a></p>
        ${viewer.role === 'operator' ? html`<form method="post" action="/runs/${run.id}/export">${csrfField(viewer)}<button>Recipients as CSV</button></form>` : ''}</section>`,
  };
}

function timeOf(at: Date | undefined, zone: string): Html {
  return html`${time(at, zone)}`;
}

function stateCard({ history, now, report: { run } }: RunPage): Html {
  const rate = rateOf(run, history, now);
  const total = recipientCount(run);
  const share = total === 0 ? 0 : (total - left(run)) / total;
  return html`<div class="card"><h3>${status(run)} <span class="big">${percent(share, 0)}</span></h3>
    ${run.pauseReason ? html`<p class="reason">${run.pauseReason}${run.retryAt ? html` It is tried again ${relative(run.retryAt, now)}.` : ''}</p>` : ''}
    ${progress(run)}
    ${facts([
      ['to go', count(left(run))],
      ['mails a second', rate === undefined ? '–' : rateText(rate)],
      ['done in', timeToGo(run, rate, now)],
    ])}${waitingParts(run, now)}</div>`;
}

/** The words of DESIGN: everywhere the same; and that they add up. */
function numbersCard(run: RunRecord): Html {
  const { numbers, outcomes } = run;
  const parts = NUMBER_NAMES.filter((name) => name !== 'audience');
  const sum = parts.reduce((total, name) => total + numbers[name], 0);
  const isKnown = run.status !== 'freezing';
  return html`<div class="card"><h3>Numbers</h3>
    ${facts(NUMBER_NAMES.map((name) => [name.replace('_', ' '), count(numbers[name])]))}
    <p class="soft">${
      isKnown
        ? html`${parts.filter((name) => numbers[name] > 0).map((name, index) => html`${index > 0 ? ' + ' : ''}${count(numbers[name])} ${name.replace('_', ' ')}`)} = ${count(sum)} ${sum === numbers.audience ? html`<span class="good">✓ the audience</span>` : html`<span class="warn">of ${count(numbers.audience)}: numbers are on their way</span>`}`
        : 'The audience is being read.'
    }</p>
    ${facts(RUN_OUTCOME_NAMES.map((name) => [name.replace('_', ' '), count(outcomes[name])]))}</div>`;
}

function historyChart(history: readonly HistoryPoint[]): Html | '' {
  if (history.length === 0) return '';
  const series = (
    label: string,
    color: 'link' | 'good' | 'bad' | 'warn',
    name: Exclude<keyof HistoryPoint, 'at'>,
  ) => ({
    label,
    color,
    values: history.map((point) => point[name]),
  });
  return chart({
    title: 'Over time',
    x: history.map(({ at }) => at),
    series: [
      series('sent', 'link', 'sent'),
      series('delivered', 'good', 'delivered'),
      series('bounced', 'warn', 'bounced'),
      series('rejected', 'bad', 'rejected'),
    ],
  });
}

function failuresCard({ id, numbers }: RunRecord, failures: FailureReasons | undefined): Html | '' {
  if (!failures) return '';
  return html`<div class="card"><h3>What failed</h3>
    ${numbers.in_doubt > 0 ? html`<p><a href="/runs/${id}/in-doubt">${count(numbers.in_doubt)} in doubt: look, and say what happened</a></p>` : ''}
    <div class="scroll"><table><thead><tr><th class="n">recipients</th><th>state</th><th>reason</th></tr></thead><tbody>${failures.reasons.map(
      ({ count: many, reason, state }) =>
        html`<tr><td class="n">${count(many)}</td><td>${state.replace('_', ' ')}</td><td>${reason || 'the worker died, or no answer came'}</td></tr>`,
    )}</tbody></table></div>
    ${failures.isWhole ? '' : html`<p class="soft">Of the first chunks with failures; the export has all of them.</p>`}</div>`;
}

function clicksCard({ clicks }: RunReport): Html | '' {
  if (clicks.rows.length === 0) return '';
  return html`<div class="card"><h3>Clicks</h3>${facts([
    ['clicks', count(clicks.human)],
    ['people', `${count(clicks.unique)} (${percent(clicks.rate)})`],
    ['by scanners, beside', count(clicks.scanner)],
  ])}<div class="scroll"><table><thead><tr><th>link</th><th class="n">clicks</th><th class="n">scanners</th></tr></thead><tbody>${clicks.byLink
    .slice(0, LINKS_SHOWN)
    .map(
      ({ link, human, scanner }) =>
        html`<tr><td>${link ?? '(other links)'}</td><td class="n">${count(human)}</td><td class="n">${count(scanner)}</td></tr>`,
    )}</tbody></table></div></div>
    ${chart({ title: 'Clicks by hour', bars: true, height: 140, ...clickSeries(clicks.byHour) })}`;
}

function clickSeries(byHour: RunReport['clicks']['byHour']) {
  const hours = byHour.filter(({ hour }) => hour !== undefined);
  return {
    x: hours.map(({ hour }) => hour as Date),
    series: [{ label: 'clicks', color: 'link' as const, values: hours.map(({ human }) => human) }],
  };
}

/** The answer to a search: the page holds an address because it was asked for. */
export function recipientView(run: string, found: readonly FoundRecipient[]): View {
  return {
    title: `A recipient of ${run}`,
    section: 'runs',
    body: html`<h1>A recipient of <a href="/runs/${run}">${run}</a></h1>${
      found.length > 0
        ? found.map(recipientCard)
        : html`<p class="empty card">The address is not in this run, or the run’s addresses are not kept any more (JOURNAL_RETENTION_DAYS).</p>`
    }`,
  };
}

function recipientCard({ address, chunk, position, state, entries, outcomes }: FoundRecipient): Html {
  return html`<section class="card"><h3>${address} <span class="status">${state.replace('_', ' ')}</span></h3>${facts(
    [
      ['chunk', String(chunk + 1)],
      ['place in it', String(position + 1)],
      ['what became of the mail', outcomes.map((name) => name.replace('_', ' ')).join(', ') || 'not known'],
    ],
  )}
    <div class="scroll"><table><thead><tr><th>time</th><th>what happened</th><th></th></tr></thead><tbody>${entries.map(
      ({ at, event, detail }) =>
        html`<tr><td>${time(new Date(at))}</td><td>${event}</td><td>${detail}</td></tr>`,
    )}</tbody></table></div></section>`;
}
