/**
 * From a pinned campaign and a recipient to a message: Liquid templates, compiled once a run. A field that does not exist is
 * an error, never an empty gap; an empty value is a value (`{{ first_name | default: "there" }}`).
 *
 * Beside the merge fields, which are top-level names, templates have
 * - `campaign.id`, `campaign.name` (the id, when the file has no name),
 * - `run.scheduled_at`: ISO 8601; `{{ run.scheduled_at | date: "%e %B %Y" }}` is in the schedule's time zone (else UTC),
 * - `address`: where this mail goes,
 * - `unsubscribe_url`: the recipient's link to leave the campaign, unless it says `unsubscribe: no`.
 * - the filter `direct`: `{{ "https://www.example.com/" | direct }}` is a link that is not rewritten.
 * They win over columns of the same name; validation refuses a template that uses such a name.
 */
import type { CampaignSnapshot } from '../campaign/index.js';
import { DIRECT_MARK, LinkRewriter } from '../links/linkRewriter.js';
import { type MessagePart, makeEngine, partsOf, timezoneOf } from './liquid.js';
import { makePartRenderer, type RenderScope } from './partRenderer.js';
import { LineTooLongError, toPlainText } from './plainText.js';
import { TemplateError } from './templateError.js';

/** What templates know besides merge fields, with the properties of each. */
export const BUILT_INS: Readonly<Record<string, readonly string[]>> = {
  campaign: ['id', 'name'],
  run: ['scheduled_at'],
  address: [],
  unsubscribe_url: [],
};

export interface Message {
  /** One line. */
  subject: string;
  /** Lines end with CRLF and have at most 998 octets. */
  text: string;
  html?: string;
  /** Under which names clicks on its links are counted; missing in a campaign without `links`. */
  links?: ReadonlySet<string>;
}

/** Whom a message is for. */
export interface MessageRecipient {
  address: string;
  fields: Record<string, unknown>;
  /** Missing: a template that uses it can't be rendered. */
  unsubscribeUrl?: string | undefined;
  /** For campaigns whose links tell recipients apart. */
  linkToken?: string | undefined;
}

export interface MessageTemplate {
  /** @throws {TemplateError} when the recipient lacks a field, or a rule of RFC 5322 can't be kept. */
  render(recipient: MessageRecipient): Message;
}

/** @throws {TemplateError} when a template has a syntax error. */
export function compileMessage(
  snapshot: CampaignSnapshot,
  { scheduledAt }: { scheduledAt: Date },
): MessageTemplate {
  const timezone = timezoneOf(snapshot.definition);
  const renderers = partsOf(snapshot).map(({ part, source, isHtml }) => ({
    part,
    renderPart: makePartRenderer(makeEngine({ isHtml, timezone }), part, source, { isHtml }),
  }));
  const campaign = { id: snapshot.id, name: snapshot.definition.name ?? snapshot.id };
  const run = { scheduled_at: scheduledAt.toISOString() };
  const { links: definition } = snapshot.definition;
  const rewriter = definition && new LinkRewriter(definition);
  return {
    render({ address, fields, unsubscribeUrl, linkToken: token }) {
      const scope = scopeOf(fields, { campaign, run, address, unsubscribe_url: unsubscribeUrl });
      const links = new Set<string>();
      const options = { token, unsubscribeUrl };
      const parts: Partial<Record<MessagePart, string>> = {};
      for (const { part, renderPart } of renderers) parts[part] = renderPart(scope);
      const { subject = '', text = '', html } = parts;
      const rewrittenText = rewriter ? rewriter.rewriteText(text, links, options) : text;
      const rewrittenHtml = html && rewriter ? rewriter.rewriteHtml(html, links, options) : html;
      return {
        subject: toSubject(withoutMarks(subject)),
        text: toText(withoutMarks(rewrittenText)),
        ...(rewrittenHtml !== undefined && { html: withoutMarks(rewrittenHtml) }),
        ...(rewriter && { links }),
      };
    },
  };
}

function scopeOf(fields: Record<string, unknown>, builtIns: Record<string, unknown>): RenderScope {
  let all: Record<string, unknown> | undefined;
  return {
    find: (name) => {
      if (Object.hasOwn(builtIns, name)) return builtIns[name];
      return Object.hasOwn(fields, name) ? fields[name] : undefined;
    },
    all: () => {
      all ??= { ...fields, ...builtIns };
      return all;
    },
  };
}

/** Marks of links that stay as they are. */
function withoutMarks(rendered: string): string {
  return rendered.includes(DIRECT_MARK) ? rendered.replaceAll(DIRECT_MARK, '') : rendered;
}

/** A line break in a subject would start another header. */
function toSubject(rendered: string): string {
  return rendered.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}

function toText(rendered: string): string {
  try {
    return toPlainText(rendered);
  } catch (error) {
    throw error instanceof LineTooLongError ? new TemplateError('text', undefined, error.message) : error;
  }
}
