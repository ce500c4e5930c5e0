/** The overview: is everything all right, what is going out now, when will it be done, what comes next. */
import { keepsClaims, type Trouble, troublesOf } from '@sendonce/shared/conditions';
import type { NextRun } from '@sendonce/shared/control';
import { count, percent, relative, time } from '../format.js';
import { type Html, html } from '../html.js';
import type { View } from '../layout.js';
import type { Overview } from '../overviewData.js';
import { runCard, runTable } from './runParts.js';

const NEXT_SHOWN = 8;

export function overviewView(overview: Overview): View {
  const { ended, histories, next, now, open } = overview;
  return {
    title: 'Overview',
    section: 'overview',
    body: html`
      <h1>Overview</h1>
      <div id="alerts" data-live>${troubleLines(troublesOf(overview))}</div>
      <div id="facts" data-live class="cards">${dayCard(overview)}${accountCard(overview)}${machineCard(overview)}</div>
      <section id="open" data-live><h2>Running</h2>
        ${open.length === 0 ? html`<p class="empty card">Nothing is going out.</p>` : open.map((run) => runCard(run, histories.get(run.id), now))}</section>
      <section id="next" data-live><h2>Next</h2>${nextTable(next, now)}</section>
      <section id="ended" data-live><h2>Ended</h2>
        ${ended.length === 0 ? html`<p class="empty card">No run yet. Start one with <code>npm run sendonce -- run CAMPAIGN</code>, on a campaign’s page, or wait for a schedule.</p>` : runTable(ended)}</section>`,
  };
}

function troubleLines(troubles: readonly Trouble[]): Html {
  if (troubles.length === 0)
    return html`<p class="good"><span aria-hidden="true">✓</span> Nothing needs you.</p>`;
  return html`${troubles.map(
    ({ level, text, page }) =>
      html`<p class="alert ${level === 'bad' ? 'bad' : 'warn'}" role="alert">${page ? html`<a href="${page}">${text}</a>` : text}</p>`,
  )}`;
}

function dayCard({ day }: Overview): Html {
  return html`<section class="card"><h3>Last 24 hours</h3>${facts([
    ['runs', count(day.runs)],
    ['sent', count(day.sent)],
    ['delivered', count(day.delivered)],
    ['rejected', count(day.rejected)],
    ['in doubt', count(day.inDoubt)],
  ])}</section>`;
}

/** What SES lets the account do, and how near it is to what AWS does not let pass. */
function accountCard({ account, reputation }: Overview): Html {
  const { bounceRate, complaintRate, mails } = reputation;
  const share = (value: number): string => (mails === 0 ? '–' : percent(value, 2));
  const quota = account?.quota;
  return html`<section class="card"><h3>Amazon SES ${account?.isSandbox ? html`<span class="status settling">sandbox</span>` : ''}</h3>
    ${quota ? html`<progress max="${quota.max}" value="${quota.sent}" aria-label="quota used">${count(quota.sent)}</progress>` : ''}
    ${facts([
      ['recipients a second', account ? count(account.maxRatePerSecond) : '–'],
      [
        'used in 24 hours',
        quota ? `${count(quota.sent)} of ${count(quota.max)}` : account ? 'no limit' : '–',
      ],
      ['bounces (AWS: under 5%)', share(bounceRate)],
      ['complaints (under 0.1%)', share(complaintRate)],
    ])}</section>`;
}

function machineCard({ durability, waitingJobs, workers }: Overview): Html {
  return html`<section class="card"><h3>This installation</h3>${facts([
    ['workers', count(workers)],
    ['chunks waiting', count(waitingJobs)],
    ['claims survive a crash', keepsClaims(durability) ? 'yes' : 'no'],
  ])}<p class="soft">Redis: ${durability.detail}</p></section>`;
}

function nextTable(next: readonly NextRun[], now: number): Html {
  if (next.length === 0) return html`<p class="empty card">Nothing is scheduled.</p>`;
  return html`<div class="scroll"><table><thead><tr><th>campaign</th><th>when</th><th></th></tr></thead><tbody>${next
    .slice(0, NEXT_SHOWN)
    .map(
      ({ campaign, at, zone }) =>
        html`<tr><td><a href="/campaigns/${campaign}">${campaign}</a></td><td>${time(at, zone)}</td><td>${relative(at, now)}</td></tr>`,
    )}</tbody></table></div>`;
}

export function facts(rows: readonly [string, string | Html][]): Html {
  return html`<dl class="numbers">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}
