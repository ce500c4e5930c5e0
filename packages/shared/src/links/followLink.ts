/**
 * Where a link through a campaign's page leads: `https://www.dif.io/daily/?/updates/haml/` to
 * `https://www.dif.io/updates/haml/?utm_…`. The one place that decides it: the static page runs this very function in the
 * visitor's browser, the server runs it for its redirect, and a link is rewritten only if following it leads back.
 *
 * It never leaves the site. What comes after the `?` has to be a path there: no other scheme or host, no `//`, no backslash
 * (which browsers take for a slash), neither encoded, no control characters, and the result is compared with the origin.
 * https://cheatsheetseries.owasp.org/cheatsheets/Unvalidated_Redirects_and_Forwards_Cheat_Sheet.html
 */
export interface FollowedLink {
  /** Absolute, with the campaign's UTM parameters, without a fragment: that never reaches a server. */
  href: string;
  /** Path and query as they were in the mail: what clicks are counted under. */
  link: string;
  /** What stands before the path: a recipient's token, or nothing. */
  token: string;
}

/**
 * @param search the query of the request with its `?`, as `location.search` has it.
 * @param origin of the site, as `location.origin` has it.
 * @param prefix the page's own path: a link to it would lead in a circle.
 * @param utm names and values; what the link has of them already stays as it is.
 * @returns undefined when the link leads nowhere on the site.
 */
// Its text is put into the static page: it uses nothing from outside of itself but what browsers and Node both have.
export function followLink(
  search: string,
  origin: string,
  prefix: string,
  utm: [name: string, value: string][],
): FollowedLink | undefined {
  // Not URL.canParse, which browsers have had since 2023 only.
  const parse = (text: string): URL | undefined => {
    try {
      return new URL(text);
    } catch {
      return undefined;
    }
  };
  const [, token = '', target = ''] = /^\?([\w-]*)(\/.*)$/.exec(search) ?? [];
  const path = target.split(/[?#]/)[0] ?? '';
  // Raw, then as %5C and %00 to %1F: a site behind a careless proxy might decode them once more.
  if (!target || /[\\\s\p{Cc}]/u.test(target) || /%(25)*(5c|[01][0-9a-f]|7f)/i.test(path)) return undefined;
  const url = parse(origin + target);
  if (!url) return undefined;
  // After dots were resolved: `/.//evil.example` is `//evil.example`.
  const isElsewhere = url.origin !== origin || /^\/(\/|%(25)*2f)/i.test(url.pathname);
  if (isElsewhere || url.pathname === prefix) return undefined;
  const known = url.search
    .slice(1)
    .split('&')
    .map((pair) => pair.split('=')[0]);
  const missing = utm.filter(([name]) => !known.includes(name)).map(([name, value]) => `${name}=${value}`);
  // By hand: URLSearchParams would write the other parameters anew.
  const joint = url.search === '' ? '?' : url.search.endsWith('&') ? '' : '&';
  const link = url.pathname + url.search;
  return { href: origin + link + (missing.length > 0 ? joint + missing.join('&') : ''), link, token };
}
