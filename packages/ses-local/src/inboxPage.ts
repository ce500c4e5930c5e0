/** The inbox: what arrived, as pages. Rendered here, and usable without script. */
import { Router } from 'express';
import { z } from 'zod';
import { attachmentRoutes, shownHtml } from './attachmentRoutes.js';
import { subjectOf } from './email.js';
import { mailPage } from './mailPage.js';
import type { MailReport, MailStore, StoredMail } from './mailStore.js';
import { escapeHtml, formatNumber, formatTime, sendPage } from './pageShell.js';
import { RUN_TAG, type RunNumbers } from './runTally.js';

const PAGE_SIZE = 50;
const RUNS_LISTED = 12;
const LIVE_SECONDS = 2;
/** The HTML part of a mail, in its frame: it has its looks, and neither script nor pictures from elsewhere. */
const HTML_PART_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

const InboxQuery = z.object({
  q: z.string().trim().max(320).catch(''),
  run: z.string().max(256).optional().catch(undefined),
  skip: z.coerce.number().int().min(0).catch(0),
  live: z.literal('1').optional().catch(undefined),
});

type InboxQuery = z.output<typeof InboxQuery>;

export function inboxPage(mails: MailStore): Router {
  const router = Router();
  router.get('/', (request, response) => {
    const query = InboxQuery.parse(request.query);
    const found = mails.find({
      limit: PAGE_SIZE + 1,
      skip: query.skip,
      ...(query.q && { text: query.q }),
      ...(query.run && { tag: { name: RUN_TAG, value: query.run } }),
    });
    const page = listPage(mails.report(query.run), mails.report().byRun, found, query);
    sendPage(response, 'Inbox', page, query.live && LIVE_SECONDS);
  });
  router.get('/mails/:id', async (request, response) => {
    const mail = mails.get(request.params.id);
    if (mail) {
      sendPage(response, titleOf(mail), await mailPage(mail));
      return;
    }
    const text = '<p class="empty">There is no such mail, or it is long gone. <a href="/">Inbox</a></p>';
    sendPage(response.status(404), 'Not here', text);
  });
  router.get('/mails/:id/html', (request, response) => {
    const content = mails.get(request.params.id)?.email?.request.Content.Simple;
    const html = content && shownHtml(content);
    response.set({ 'content-security-policy': HTML_PART_CSP, 'x-content-type-options': 'nosniff' });
    response
      .status(html === undefined ? 404 : 200)
      .type('html')
      .send(html ?? '');
  });
  router.use(attachmentRoutes(mails));
  return router;
}

function listPage(
  report: MailReport,
  byRun: Record<string, RunNumbers>,
  found: StoredMail[],
  query: InboxQuery,
): string {
  const shown = found.slice(0, PAGE_SIZE);
  return `${verdict(report, query)}
${runList(byRun, query)}
<form role="search"><label for="q">Find</label><input id="q" name="q" type="search" value="${escapeHtml(query.q)}" placeholder="Part of an address or of a tag">${query.run ? `<input type="hidden" name="run" value="${escapeHtml(query.run)}">` : ''}<button>Find</button>
<a class="button" href="${linkTo(query, { live: query.live ? undefined : '1' })}">${query.live ? 'Stop following' : 'Follow'}</a></form>
${shown.length === 0 ? nothing(query) : table(shown)}
<nav class="pages" aria-label="Pages">${query.skip > 0 ? `<a href="${linkTo(query, { skip: Math.max(0, query.skip - PAGE_SIZE) })}">← Newer</a>` : '<span></span>'}${
    found.length > PAGE_SIZE ? `<a href="${linkTo(query, { skip: query.skip + PAGE_SIZE })}">Older →</a>` : ''
  }</nav>`;
}

/** The sentence that the whole project is about. */
function verdict(report: MailReport, { run }: InboxQuery): string {
  const { messages, recipients, duplicates, duplicated, simulator, unchecked } = report;
  const plural = (value: number, noun: string) =>
    `<strong>${formatNumber(value)}</strong> ${noun}${value === 1 ? '' : 's'}`;
  const tone = messages === 0 ? 'none' : duplicates === 0 ? 'good' : 'bad';
  const list = duplicated
    .slice(0, 20)
    .map(({ id, times }) => `<li><code>${escapeHtml(id)}</code> ${times} times</li>`)
    .join('');
  const remarks = [
    run && `Only run ${escapeHtml(run)}. <a href="/">All runs</a>`,
    simulator > 0 && `and ${formatNumber(simulator)} to the mailbox simulator, not counted`,
    unchecked > 0 && `${formatNumber(unchecked)} could not be compared: the limit is reached`,
  ].filter(Boolean);
  return `<section class="verdict ${tone}" aria-label="Report"><p>${plural(messages, 'message')}, ${plural(recipients, 'recipient')}, <span class="count">${plural(duplicates, 'duplicate')}</span></p>${
    remarks.length > 0 ? `<small>${remarks.join(' · ')}</small>` : ''
  }${list && `<details><summary>Who got it more than once</summary><ul>${list}</ul></details>`}</section>`;
}

function runList(byRun: Record<string, RunNumbers>, { run: current }: InboxQuery): string {
  const runs = Object.entries(byRun)
    .filter(([run]) => run !== '')
    .reverse()
    .slice(0, RUNS_LISTED);
  if (runs.length < 2 && !current) return '';
  const items = runs.map(
    ([run, { messages, duplicates }]) =>
      `<li><a href="/?${escapeHtml(new URLSearchParams({ run }).toString())}"${run === current ? ' aria-current="true"' : ''}>${escapeHtml(run)} <span>${formatNumber(messages)}${duplicates > 0 ? ` <b>${formatNumber(duplicates)} dup.</b>` : ''}</span></a></li>`,
  );
  return `<ul class="runs" aria-label="Runs">${items.join('')}</ul>`;
}

function table(mails: StoredMail[]): string {
  const rows = mails.map((mail) => {
    const run = mail.tags[RUN_TAG] ?? '';
    return `<tr><td class="subject"><a href="/mails/${escapeHtml(mail.messageId)}">${escapeHtml(titleOf(mail))}</a></td><td class="to">${escapeHtml(mail.to.join(', '))}</td><td class="run">${escapeHtml(run)}</td><td class="time">${formatTime(mail.acceptedAt)}</td></tr>`;
  });
  return `<div class="table"><table><thead><tr><th scope="col">Subject</th><th scope="col">To</th><th scope="col">Run</th><th scope="col">Accepted (UTC)</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function nothing({ q, run }: InboxQuery): string {
  const text =
    q || run ? 'No mail matches.' : 'No mail yet. As soon as a campaign runs, its mails appear here.';
  return `<p class="empty">${text}</p>`;
}

function titleOf({ email }: StoredMail): string {
  return email ? subjectOf(email) || '(no subject)' : '(content not kept)';
}

function linkTo(
  query: InboxQuery,
  change: { [Name in keyof InboxQuery]?: string | number | undefined },
): string {
  const entries = Object.entries({ ...query, ...change }).filter(([, value]) => value);
  return escapeHtml(
    `/?${new URLSearchParams(Object.fromEntries(entries.map(([name, value]) => [name, String(value)])))}`,
  );
}
