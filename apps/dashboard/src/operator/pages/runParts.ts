/** How a run shows on several pages: as a card with its progress, as a row of a table, as a rate and a time to go. */
import {
  type HistoryPoint,
  partName,
  partsAhead,
  type RunRecord,
  recipientCount,
} from '@sendonce/shared/run';
import { count, duration, relative, time } from '../format.js';
import { type Html, html } from '../html.js';

/** The rate is that of the last so many ms. */
const RATE_WINDOW_MS = 60_000;

/** @param history of a run that is sending: only then it is known when it will be done. */
export function runCard(run: RunRecord, history: readonly HistoryPoint[] | undefined, now: number): Html {
  const rate = history && rateOf(run, history, now);
  return html`<section class="card"><h3><a href="/runs/${run.id}">${runTitle(run)}</a> ${status(run)}</h3>
    ${run.pauseReason ? html`<p class="reason">${run.pauseReason}</p>` : ''}${progress(run)}
    <p class="soft">${count(run.numbers.sent)} sent, ${count(left(run))} to go, begun ${relative(run.createdAt, now)}${rate ? html`; ${rateText(rate)} mails a second, done in ${timeToGo(run, rate, now)}` : ''}</p></section>`;
}

export function runTable(runs: readonly RunRecord[]): Html {
  return html`<div class="scroll"><table><thead><tr><th>run</th><th>status</th><th class="n">audience</th><th class="n">sent</th><th class="n">delivered</th><th class="n">rejected</th><th class="n">in doubt</th><th>finished</th></tr></thead>
    <tbody>${runs.map(
      (run) => html`<tr><td><a href="/runs/${run.id}">${runTitle(run)}</a></td><td>${status(run)}</td>
        ${[run.numbers.audience, run.numbers.sent, run.outcomes.delivered, run.numbers.rejected, run.numbers.in_doubt].map((value) => html`<td class="n">${count(value)}</td>`)}
        <td>${time(run.finishedAt)}</td></tr>`,
    )}</tbody></table></div>`;
}

export function status({ status: name }: RunRecord): Html {
  return html`<span class="status ${name}">${name}</span>`;
}

export function progress(run: RunRecord): Html {
  const total = recipientCount(run);
  const done = total - left(run);
  const share = total === 0 ? 0 : Math.floor((done / total) * 100);
  return html`<progress max="${Math.max(total, 1)}" value="${done}" aria-label="${run.id}: ${share}%">${share}%</progress>`;
}

export function left({ numbers }: RunRecord): number {
  return numbers.queued + numbers.claimed;
}

/** What a run is, for people: runs of single messages are of a template, and collected for a while. */
export function runTitle({ id, campaign, createdAt, origin }: RunRecord): Html {
  return origin === 'messages' ? html`Messages of ${campaign} since ${time(createdAt)}` : html`${id}`;
}

/** Mails a second over the last minute of a run that is sending; undefined: not known. */
export function rateOf(run: RunRecord, history: readonly HistoryPoint[], now: number): number | undefined {
  if (run.status !== 'sending' && run.status !== 'collecting') return undefined;
  const before = history.findLast(({ at }) => at.getTime() < now - RATE_WINDOW_MS / 2);
  const since = Math.max(before?.at.getTime() ?? beginOf(run)?.getTime() ?? now, now - 10 * RATE_WINDOW_MS);
  const seconds = (now - since) / 1_000;
  return seconds < 1 ? undefined : (run.numbers.sent - (before?.sent ?? 0)) / seconds;
}

export function rateText(rate: number): string {
  return rate.toFixed(rate < 10 ? 1 : 0);
}

function beginOf({ origin, createdAt, frozenAt }: RunRecord): Date | undefined {
  return origin === 'messages' ? createdAt : frozenAt;
}

/** Not before its last part is due. */
export function timeToGo(run: RunRecord, rate: number | undefined, now: number): string {
  const last = partsAhead(run, now).at(-1);
  const waits = last ? (last.dueAt.getTime() - now) / 1_000 : 0;
  if ((!rate && !last) || left(run) === 0) return '–';
  return duration(Math.ceil(Math.max(waits, rate ? left(run) / rate : 0)));
}

/** What still waits for its time, where everybody gets it on their own clock. */
export function waitingParts(run: RunRecord, now: number): Html | '' {
  const ahead = partsAhead(run, now).filter(({ recipients }) => recipients > 0);
  const [next] = ahead;
  const odd = run.unknownZones
    ? html`<p class="soft">${count(run.unknownZones)} recipients have a time zone that does not exist, and get it by the schedule’s.</p>`
    : '';
  if (!next || left(run) === 0) return odd;
  return html`<p>${count(ahead.length)} of ${count(run.parts?.length ?? 0)} parts by time zone wait; next ${partName(run, next)} ${relative(next.dueAt, now)}, ${count(next.recipients)} recipients.</p>${odd}`;
}
