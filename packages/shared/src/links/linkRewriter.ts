/**
 * Rewrites the links of a mail so that they lead through the campaign's page: `https://www.dif.io/updates/haml/` becomes
 * `https://www.dif.io/daily/?/updates/haml/`. Nothing is replaced, the prefix is put in after the host, so readers still see
 * where a link leads, and whatever a mail program takes for its end, it stays the end.
 *
 * Only http(s) links to the listed hosts; in HTML the `href` of `<a>` and `<area>`. Left alone is what would not lead back
 * to itself, the recipient's link to unsubscribe, and what a template says is `| direct`.
 */
import { LinkifyIt } from 'linkify-it';
import type { Links } from '../campaign/linksSchema.js';
import { followLink } from './followLink.js';
import { attributesOf } from './htmlAttributes.js';

/** Put before a link by the filter `direct`; a private-use character, so that no text has it. */
export const DIRECT_MARK = '\uE000';

/** A link with its host, what was put in, and under which name it is counted. */
interface Rewritten {
  /** Up to the end of the host. */
  head: string;
  /** From the path on. */
  tail: string;
  link: string;
}

/** What was found at a place of a text: how long it is, and what to make of it. */
interface Found {
  length: number;
  rewritten: Rewritten | undefined;
}

export interface RewriteOptions {
  /** Tells recipients apart. */
  token?: string | undefined;
  unsubscribeUrl?: string | undefined;
}

/** Most links of a run are the same in every mail; of those that are not, so many are remembered. */
const REMEMBERED_LINKS = 1_000;

/** Not inside a word or another address. With what follows, up to white space: the same text is the same link. */
const LINK_START = /(?<![\p{L}\p{N}=/?&%#+.\uE000-])https?:\/\/(?=(\S+))/giu;

const finder = new LinkifyIt();

const isLink = (element: string) => element === 'a' || element === 'area';

export class LinkRewriter {
  readonly #links: Links;
  readonly #hosts: ReadonlySet<string>;
  readonly #remembered = new Map<string, Found>();

  constructor(links: Links) {
    this.#links = links;
    this.#hosts = new Set(links.hosts.map((origin) => new URL(origin).host));
  }

  /** @param found gets the names under which clicks will be counted. */
  rewriteText(text: string, found: Set<string>, { token = '', unsubscribeUrl }: RewriteOptions = {}): string {
    let result = '';
    let copied = 0;
    let passed = 0;
    for (const { index, 0: scheme, 1: rest } of text.matchAll(LINK_START)) {
      const candidate = `${scheme}${rest}`;
      if (index < passed || (unsubscribeUrl && candidate.startsWith(unsubscribeUrl))) continue;
      const { length, rewritten } = this.#find(candidate);
      passed = index + length;
      if (!rewritten) continue;
      found.add(rewritten.link);
      result += text.slice(copied, index) + this.#spell(rewritten, token);
      copied = passed;
    }
    return result + text.slice(copied);
  }

  rewriteHtml(html: string, found: Set<string>, { token = '', unsubscribeUrl }: RewriteOptions = {}): string {
    let result = '';
    let done = 0;
    for (const { value, start, end } of attributesOf(html, isLink, 'href')) {
      const rewritten = value === unsubscribeUrl ? undefined : this.#rewrite(value);
      if (!rewritten) continue;
      found.add(rewritten.link);
      result += html.slice(done, start) + escapeAttribute(this.#spell(rewritten, token));
      done = end;
    }
    return result + html.slice(done);
  }

  #find(candidate: string): Found {
    const known = this.#remembered.get(candidate);
    if (known) return known;
    const length = lengthOfLink(candidate);
    const after = candidate.slice(length);
    const rewritten = after.startsWith('@') ? undefined : this.#rewrite(candidate.slice(0, length));
    // A mail program must not find another end than before.
    const spelled = rewritten && this.#spell(rewritten, '');
    const isWhole = spelled && lengthOfLink(spelled + after) === spelled.length;
    const found = { length, rewritten: isWhole ? rewritten : undefined };
    if (this.#remembered.size < REMEMBERED_LINKS) this.#remembered.set(candidate, found);
    return found;
  }

  /** Undefined: the link is left alone. */
  #rewrite(link: string): Rewritten | undefined {
    const [, head, tail] = /^(https?:\/\/[^/?#\\@\s]+)([^\s]*)$/i.exec(link) ?? [];
    if (!head || tail === undefined || !URL.canParse(link)) return undefined;
    const url = new URL(link);
    if (!this.#hosts.has(url.host)) return undefined;
    const rewritten = { head, tail: tail.startsWith('/') ? tail : `/${tail}` };
    const { search } = new URL(`${head}${this.#links.prefix}?${rewritten.tail}`);
    const followed = followLink(search, url.origin, this.#links.prefix, []);
    // An apostrophe is %27 in a query: to a server that is the same path.
    const isSame = followed?.href === (url.origin + url.pathname + url.search).replaceAll("'", '%27');
    return followed && isSame ? { ...rewritten, link: followed.link } : undefined;
  }

  #spell({ head, tail }: Rewritten, token: string): string {
    return `${head}${this.#links.prefix}?${token}${tail}`;
  }
}

/** How long the link is that a text begins with; 0: it is none. Punctuation and brackets around it are not part of it. */
function lengthOfLink(text: string): number {
  const scheme = text.slice(0, text.indexOf('/'));
  const tail = finder.testSchemaAt(text, scheme.toLowerCase(), scheme.length);
  return tail === 0 ? 0 : scheme.length + tail;
}

/** For any kind of quotes, or none. */
function escapeAttribute(text: string): string {
  return text.replace(/[&<>"'`=\s]/g, (character) => `&#${character.charCodeAt(0)};`);
}
