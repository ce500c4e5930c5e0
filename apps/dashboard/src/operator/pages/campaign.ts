/** One campaign: its definition, what comes next, the mail as a recipient gets it, and how its runs went. */
import { maskAddress } from '@sendonce/shared/audience';
import {
  type AudienceDefinition,
  type CampaignProblem,
  type CampaignSnapshot,
  isMessageTemplate,
  nextOccurrence,
} from '@sendonce/shared/campaign';
import type { SchedulePause } from '@sendonce/shared/control';
import type { Recipient } from '@sendonce/shared/ledger';
import type { Message } from '@sendonce/shared/message';
import type { RunRecord } from '@sendonce/shared/run';
import type { Viewer } from '../access/sessions.js';
import { relative, time } from '../format.js';
import { type Html, html } from '../html.js';
import { csrfField, type View } from '../layout.js';
import { describeSchedule, problemList } from './campaigns.js';
import { chart } from './chart.js';
import { facts } from './overview.js';
import { runTable } from './runParts.js';

const OCCURRENCES = 5;

export interface CampaignPage {
  id: string;
  /** Missing: its files are wrong, or gone. */
  snapshot: CampaignSnapshot | undefined;
  problems: readonly CampaignProblem[];
  preview: { message: Message; recipient: Recipient } | { reason: string } | undefined;
  /** Of the preview: from 1. */
  row: number;
  paused: SchedulePause | undefined;
  /** The newest first. */
  runs: readonly RunRecord[];
  now: number;
}

export function campaignView(page: CampaignPage, viewer: Viewer): View {
  const { id, problems, runs, snapshot } = page;
  return {
    title: snapshot?.definition.name ?? id,
    section: 'campaigns',
    body: html`<h1>${snapshot?.definition.name ?? id}</h1>
      ${snapshot?.definition.description && html`<p>${snapshot.definition.description}</p>`}
      <div id="problems" data-live>${problemList(problems)}</div>
      ${snapshot && !isMessageTemplate(snapshot.definition) && viewer.role === 'operator' ? actions(page, viewer) : ''}
      ${snapshot ? definitionCard(snapshot) : ''}
      <section id="schedule" data-live>${snapshot ? scheduleCard(snapshot, page) : ''}</section>
      ${preview(page)}
      <section id="history" data-live><h2>Runs</h2>${runs.length === 0 ? html`<p class="empty card">It has not run yet.</p>` : html`${historyChart(runs)}${runTable(runs)}`}
        ${runs.length > 0 ? html`<p><a href="/runs?campaign=${id}">All its runs</a></p>` : ''}</section>`,
  };
}

function actions({ id, paused, snapshot }: CampaignPage, viewer: Viewer): Html {
  const hasCron = snapshot?.definition.schedule && 'cron' in snapshot.definition.schedule;
  const verb = paused ? 'resume' : 'pause';
  return html`<div class="actions" role="group" aria-label="Actions">
    <details id="run-now"><summary>Run now…</summary><form method="post" action="/campaigns/${id}/run">${csrfField(viewer)}
      <span>Everybody in the audience gets a mail, at once.</span> <button class="main">Send it now</button></form></details>
    ${hasCron ? html`<form method="post" action="/campaigns/${id}/${verb}">${csrfField(viewer)}<button>${paused ? 'Let the schedule go on' : 'Pause the schedule'}</button></form>` : ''}</div>`;
}

function definitionCard({ definition, hash }: CampaignSnapshot): Html {
  const { audience, from, in_doubt, links, reply_to, subject, unsubscribe } = definition;
  return html`<section class="card"><h3>Definition <span class="soft">${hash}</span></h3>${facts([
    ['from', from],
    ...(reply_to ? [['answers to', reply_to] as [string, string]] : []),
    ['subject', subject],
    ['schedule', describeSchedule(definition)],
    ['audience', isMessageTemplate(definition) ? 'single messages' : fileOf(audience)],
    ['in doubt', in_doubt],
    ['unsubscribe link', unsubscribe ? 'yes' : 'no'],
    ['links', links ? `counted at ${links.prefix}` : 'not counted'],
  ])}</section>`;
}

function fileOf(audience: AudienceDefinition): string {
  return 'csv' in audience ? audience.csv : 'ndjson' in audience ? audience.ndjson : audience.messages;
}

function scheduleCard({ definition }: CampaignSnapshot, { now, paused }: CampaignPage): Html {
  const { schedule } = definition;
  if (isMessageTemplate(definition))
    return html`<p class="soft">A template of single messages: programs send by it, through the API.</p>`;
  if (!schedule) return html`<p class="soft">It has no schedule: it runs by hand, or by the API.</p>`;
  if (paused)
    return html`<p class="alert warn">The schedule was paused by ${paused.by} ${relative(paused.at, now)}. Nothing fires until somebody lets it go on.</p>`;
  const zone = 'cron' in schedule ? schedule.timezone : 'UTC';
  const times: Date[] = [];
  for (
    let at = nextOccurrence(schedule, new Date(now));
    at && times.length < OCCURRENCES;
    at = nextOccurrence(schedule, at)
  )
    times.push(at);
  return html`<section class="card"><h3>Next</h3>${
    times.length === 0
      ? html`<p class="soft">It does not come again.</p>`
      : html`<ul>${times.map((at) => html`<li>${time(at, zone)}</li>`)}</ul>`
  }</section>`;
}

function preview({ id, preview: shown, row }: CampaignPage): Html | '' {
  if (!shown) return '';
  const choice = html`<form class="verdict"><label class="row">Recipient number <input name="row" type="number" min="1" value="${row}"></label> <button>Show</button></form>`;
  if ('reason' in shown)
    return html`<section class="card"><h3>Preview</h3>${choice}<p class="reason">${shown.reason}</p></section>`;
  const { message, recipient } = shown;
  return html`<section class="card"><h3>Preview</h3>${choice}
    ${facts([
      ['to', maskAddress(recipient.address)],
      ['subject', message.subject],
    ])}
    <pre>${message.text.replaceAll('\r\n', '\n').replaceAll(recipient.address, maskAddress(recipient.address))}</pre>
    ${message.html === undefined ? '' : html`<iframe title="The HTML part" sandbox loading="lazy" src="/campaigns/${id}/preview.html?row=${row}"></iframe>`}</section>`;
}

function historyChart(runs: readonly RunRecord[]): Html {
  const inOrder = runs.toReversed();
  return chart({
    title: 'Sent, by run',
    x: inOrder.map(({ scheduledAt }) => scheduledAt),
    series: [{ label: 'sent', color: 'link', values: inOrder.map(({ numbers }) => numbers.sent) }],
    bars: true,
    height: 140,
  });
}
