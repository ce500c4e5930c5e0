/** One mail: text, HTML, headers and tags, source; one of them is in view, chosen by radio buttons that need no script. */
import { LinkifyIt } from 'linkify-it';
import { attachmentsOf, sizeOf } from './attachmentRoutes.js';
import { headerFieldsOf, subjectOf } from './email.js';
import type { StoredMail } from './mailStore.js';
import { mimeSource } from './mimeSource.js';
import { escapeHtml, formatNumber, formatTime } from './pageShell.js';

/** Of a mail's source, characters: attachments would fill the page. `/messages/:id` has all of it. */
const SOURCE_SHOWN = 100_000;

const finder = new LinkifyIt().set({ fuzzyLink: false, fuzzyEmail: false });

interface Tab {
  id: string;
  label: string;
  html: string;
}

export async function mailPage(mail: StoredMail): Promise<string> {
  const { acceptedAt, email, messageId, to } = mail;
  const facts = [
    ['From', escapeHtml(email?.from ?? 'not kept')],
    ['To', escapeHtml(to.join(', '))],
    ['Accepted', `${formatTime(acceptedAt)} UTC`],
    ['SES message id', `<code>${escapeHtml(messageId)}</code>`],
  ];
  return `<p class="back"><a href="/">← Inbox</a></p><h1>${escapeHtml(email ? subjectOf(email) || '(no subject)' : '(content not kept)')}</h1>
${definitions(facts)}${tabs(await tabsOf(mail))}`;
}

async function tabsOf(mail: StoredMail): Promise<Tab[]> {
  const { acceptedAt, email, messageId, tags } = mail;
  const pairs = (entries: [string, string][]) =>
    definitions(entries.map(([name, value]) => [escapeHtml(name), escapeHtml(value)]));
  const tagList = `<h2>Tags</h2>${Object.keys(tags).length > 0 ? pairs(Object.entries(tags)) : '<p class="empty">No tags.</p>'}`;
  if (!email) {
    return [
      {
        id: 'headers',
        label: 'Tags',
        html: `<p class="empty">Only the newest mails are kept whole.</p>${tagList}`,
      },
    ];
  }
  const { Body } = email.request.Content.Simple ?? {};
  const attachments = attachmentsOf(mail);
  const source = await mimeSource(email, messageId, acceptedAt);
  const fields = headerFieldsOf(email).map(({ name, value }): [string, string] => [name, value]);
  const list: (Tab | undefined)[] = [
    Body?.Text && {
      id: 'text',
      label: 'Text',
      html: `<pre class="mail">${linkText(Body.Text.Data)}</pre>`,
    },
    Body?.Html && {
      id: 'html',
      label: 'HTML',
      html: `<iframe title="The mail's HTML part" sandbox loading="lazy" src="/mails/${escapeHtml(messageId)}/html"></iframe>`,
    },
    { id: 'headers', label: 'Headers and tags', html: `<h2>Headers</h2>${pairs(fields)}${tagList}` },
    attachments.length > 0
      ? {
          id: 'attachments',
          label: `Attachments (${attachments.length})`,
          html: attachmentList(messageId, attachments),
        }
      : undefined,
    {
      id: 'source',
      label: 'Source',
      html: `<pre>${escapeHtml(source.slice(0, SOURCE_SHOWN))}</pre>${source.length > SOURCE_SHOWN ? `<p class="empty">The first ${formatNumber(SOURCE_SHOWN)} of ${formatNumber(source.length)} characters.</p>` : ''}`,
    },
  ];
  return list.filter((tab) => tab !== undefined);
}

function attachmentList(messageId: string, attachments: ReturnType<typeof attachmentsOf>): string {
  return definitions(
    attachments.map(
      ({ ContentDisposition, ContentId = '', ContentType = '', FileName, RawContent }, index) => {
        const link = `<a href="/mails/${escapeHtml(messageId)}/attachments/${index}" download>${escapeHtml(FileName)}</a>`;
        const shown = ContentDisposition === 'INLINE' ? ` · shown as cid:${escapeHtml(ContentId)}` : '';
        return [link, `${formatNumber(sizeOf(RawContent))} bytes · ${escapeHtml(ContentType)}${shown}`];
      },
    ),
  );
}

/** As mail programs show it: addresses of pages can be clicked. */
function linkText(text: string): string {
  let html = '';
  let done = 0;
  for (const { index, lastIndex, url } of finder.match(text) ?? []) {
    const spelled = escapeHtml(text.slice(index, lastIndex));
    html += `${escapeHtml(text.slice(done, index))}<a href="${escapeHtml(url)}" rel="noreferrer">${spelled}</a>`;
    done = lastIndex;
  }
  return html + escapeHtml(text.slice(done));
}

function tabs(list: Tab[]): string {
  const inputs = list.map(
    ({ id, label }, index) =>
      `<input type="radio" name="tab" id="tab-${id}"${index === 0 ? ' checked' : ''}><label for="tab-${id}">${escapeHtml(label)}</label>`,
  );
  const panels = list.map(({ id, html }) => `<section class="panel panel-${id}">${html}</section>`);
  return `<div class="tabs">${inputs.join('')}${panels.join('')}</div>`;
}

/** @param entries already escaped. */
function definitions(entries: string[][]): string {
  const rows = entries.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl class="facts">${rows.join('')}</dl>`;
}
