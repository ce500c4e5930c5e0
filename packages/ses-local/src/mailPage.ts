/** One mail: text, HTML, headers and tags, source; one of them is in view, chosen by radio buttons that need no script. */
import { LinkifyIt } from 'linkify-it';
import { headerFieldsOf, subjectOf } from './email.js';
import type { StoredMail } from './mailStore.js';
import { mimeSource } from './mimeSource.js';
import { escapeHtml, formatTime } from './pageShell.js';

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

async function tabsOf({ acceptedAt, email, messageId, tags }: StoredMail): Promise<Tab[]> {
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
  const { Attachments = [], Body } = email.request.Content.Simple ?? {};
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
    Attachments.length > 0
      ? {
          id: 'attachments',
          label: `Attachments (${Attachments.length})`,
          html: pairs(Attachments.map(({ FileName, ContentType = '' }) => [FileName, ContentType])),
        }
      : undefined,
    {
      id: 'source',
      label: 'Source',
      html: `<pre>${escapeHtml(await mimeSource(email, messageId, acceptedAt))}</pre>`,
    },
  ];
  return list.filter((tab) => tab !== undefined);
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
