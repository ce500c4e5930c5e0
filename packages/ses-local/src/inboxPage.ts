/** The inbox: what arrived, as a page. Rendered here, without script; every text of a mail is escaped. */
import { createHash } from 'node:crypto';
import { type Response, Router } from 'express';
import { parseMailQuery } from './controlApi.js';
import { STYLE } from './inboxStyle.js';
import type { MailReport, MailStore, StoredMail } from './mailStore.js';
import { mimeSource } from './mimeSource.js';

const PAGE_SIZE = 50;
const styleHash = createHash('sha256').update(STYLE).digest('base64');
/** Mails are strangers' text: nothing in them may load or run. An HTML part is shown in a frame without any right. */
const CSP = `default-src 'none'; style-src 'sha256-${styleHash}'; frame-src 'self'; form-action 'self'; base-uri 'none'`;
const HTML_PART_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

export function inboxPage(mails: MailStore): Router {
  const router = Router();
  router.get('/', (request, response) => {
    const query = parseMailQuery(request);
    const found = mails.find({ ...query, limit: PAGE_SIZE + 1 });
    sendPage(response, 'Inbox', listPage(mails.report(), found, query.to ?? '', query.skip));
  });
  router.get('/mails/:id', async (request, response) => {
    const mail = mails.get(request.params.id);
    if (!mail)
      return void sendPage(
        response.status(404),
        'Not here',
        '<p class="empty">There is no such mail, or it is not kept any more.</p>',
      );
    sendPage(response, subjectOf(mail), await mailPage(mail));
  });
  router.get('/mails/:id/html', (request, response) => {
    const html = mails.get(request.params.id)?.request.Content.Simple?.Body.Html?.Data;
    response.set('content-security-policy', HTML_PART_CSP).type('html');
    response.status(html === undefined ? 404 : 200).send(html ?? '');
  });
  return router;
}

function sendPage(response: Response, title: string, content: string): void {
  response.set('content-security-policy', CSP).type('html');
  response.send(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Local SES</title><style>${STYLE}</style></head>
<body><header><a class="brand" href="/">Local SES</a><span>Nothing here leaves this machine.</span></header><main>${content}</main></body></html>`);
}

function listPage(report: MailReport, found: StoredMail[], to: string, skip: number): string {
  const shown = found.slice(0, PAGE_SIZE);
  const link = (value: number, text: string) =>
    `<a href="/?${new URLSearchParams({ to, skip: String(Math.max(0, value)) })}">${text}</a>`;
  const rows = shown.map(
    (mail) => `<tr><td><a href="/mails/${escapeHtml(mail.messageId)}">${escapeHtml(subjectOf(mail))}</a></td>
<td>${escapeHtml(mail.to.join(', '))}</td><td>${escapeHtml(mail.tags.sendonce_run ?? '')}</td><td><time>${time(mail.acceptedAt)}</time></td></tr>`,
  );
  const empty = `<p class="empty">${to ? 'Nobody of that name got anything.' : 'No mail yet. As soon as a campaign runs, its mails appear here.'}</p>`;
  return `${verdict(report)}
<form role="search"><label for="to">Recipient</label><input id="to" name="to" type="search" value="${escapeHtml(to)}" placeholder="jane@example.com"><button>Find</button></form>
${rows.length === 0 ? empty : `<div class="table"><table><thead><tr><th>Subject</th><th>To</th><th>Run</th><th>Accepted (UTC)</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`}
<nav>${skip > 0 ? link(skip - PAGE_SIZE, '← newer') : ''}${found.length > PAGE_SIZE ? link(skip + PAGE_SIZE, 'older →') : ''}</nav>`;
}

function verdict({ messages, recipients, duplicates, duplicated, simulator }: MailReport): string {
  const number = (value: number) => value.toLocaleString('en');
  const list =
    duplicated.length > 0
      ? `<ul>${duplicated.map(({ id, times }) => `<li>${escapeHtml(id)}: ${times} times</li>`).join('')}</ul>`
      : '';
  const probes = simulator > 0 ? `<small>and ${number(simulator)} to the mailbox simulator</small>` : '';
  return `<section class="verdict ${duplicates === 0 ? 'good' : 'bad'}"><dl>
<div><dt>messages</dt><dd>${number(messages)}</dd></div><div><dt>recipients</dt><dd>${number(recipients)}</dd></div>
<div><dt>duplicates</dt><dd>${number(duplicates)}</dd></div></dl>${list}${probes}</section>`;
}

async function mailPage(mail: StoredMail): Promise<string> {
  const { Simple } = mail.request.Content;
  const headers = [
    ['From', mail.request.FromEmailAddress ?? ''],
    ['To', mail.to.join(', ')],
    ...(Simple?.Headers ?? []).map(({ Name, Value }) => [Name, Value]),
    ['SES message id', mail.messageId],
    ['Accepted', mail.acceptedAt.toISOString()],
    ...Object.entries(mail.tags).map(([name, value]) => [`Tag ${name}`, value]),
  ];
  const list = headers
    .map(([name = '', value = '']) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`)
    .join('');
  const html = Simple?.Body.Html
    ? `<h2>HTML</h2><iframe title="HTML part" sandbox src="/mails/${escapeHtml(mail.messageId)}/html"></iframe>`
    : '';
  return `<p><a href="/">← Inbox</a></p><h1>${escapeHtml(subjectOf(mail))}</h1>
<pre class="mail">${escapeHtml(Simple?.Body.Text?.Data ?? '')}</pre>${html}
<h2>Headers and tags</h2><dl class="headers">${list}</dl>
<details><summary>Source (RFC 5322)</summary><pre>${escapeHtml(await mimeSource(mail))}</pre></details>`;
}

function subjectOf(mail: StoredMail): string {
  return mail.request.Content.Simple?.Subject.Data ?? '(raw message)';
}

function time(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
