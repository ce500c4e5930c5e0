import fc from 'fast-check';
import { DomUtils, parseDocument } from 'htmlparser2';
import { LinkifyIt, type Match } from 'linkify-it';
import { describe, expect, it } from 'vitest';
import type { Links } from '../campaign/index.js';
import { followLink } from './followLink.js';
import { LinkRewriter } from './linkRewriter.js';

const ORIGIN = 'https://www.dif.io';
const UTM: [string, string][] = [
  ['utm_source', 'news'],
  ['utm_medium', 'email'],
];
const links: Links = {
  prefix: '/daily/',
  hosts: [ORIGIN, 'http://127.0.0.1:8080'],
  utm: { source: 'news', medium: 'email' },
  per_recipient: false,
};

const text = (source: string, options = {}) =>
  new LinkRewriter(links).rewriteText(source, new Set(), options);
const html = (source: string, options = {}) =>
  new LinkRewriter(links).rewriteHtml(source, new Set(), options);

describe('a link in a text', () => {
  it.each([
    ['https://www.dif.io/updates/haml-3.1.2/', 'https://www.dif.io/daily/?/updates/haml-3.1.2/'],
    ['https://www.dif.io', 'https://www.dif.io/daily/?/'],
    ['Look: https://www.dif.io.', 'Look: https://www.dif.io/daily/?/.'],
    ['https://www.dif.io?page=2', 'https://www.dif.io/daily/?/?page=2'],
    ['https://www.dif.io/a?b=c&d=e#f', 'https://www.dif.io/daily/?/a?b=c&d=e#f'],
    ['(https://www.dif.io/a_(b)), and', '(https://www.dif.io/daily/?/a_(b)), and'],
    ['[haml](https://www.dif.io/x "t")', '[haml](https://www.dif.io/daily/?/x "t")'],
    ['<https://www.dif.io/x>', '<https://www.dif.io/daily/?/x>'],
    ['**https://www.dif.io/x/**', '**https://www.dif.io/daily/?/x/**'],
    ['_https://www.dif.io/x/_', '_https://www.dif.io/daily/?/x/_'],
    ["'https://www.dif.io/x'!", "'https://www.dif.io/daily/?/x'!"],
    [
      '[a](https://www.dif.io/x)[b](https://www.dif.io/y)',
      '[a](https://www.dif.io/daily/?/x)[b](https://www.dif.io/daily/?/y)',
    ],
    ['[1]: https://www.dif.io/x\n', '[1]: https://www.dif.io/daily/?/x\n'],
    ['https://www.dif.io/o’neill/über/…', 'https://www.dif.io/daily/?/o’neill/über/…'],
    ['HTTPS://WWW.Dif.io/X', 'HTTPS://WWW.Dif.io/daily/?/X'],
    ['http://www.dif.io/x', 'http://www.dif.io/daily/?/x'],
    ['http://127.0.0.1:8080/x', 'http://127.0.0.1:8080/daily/?/x'],
    ['https://www.dif.io:443/x', 'https://www.dif.io:443/daily/?/x'],
  ])('%s becomes %s', (source, expected) => expect(text(source)).toBe(expected));

  it.each([
    'https://example.com/x',
    'https://dif.io/x',
    'https://www.dif.io.example.com/x',
    'https://www.dif.io:8443/x',
    'https://www.dif.io@example.com/x',
    'https://user:word@www.dif.io/x',
    'ftp://www.dif.io/x',
    'www.dif.io/x',
    'mailto:a@www.dif.io',
    'https://example.com/?to=https://www.dif.io/x',
    'https://example.com/https://www.dif.io/x',
    'xhttps://www.dif.io/x',
    'https://www.dif.io//x',
    'https://www.dif.io/a\\b',
    'https://www.dif.io/a%5Cb',
    'https://www.dif.io/%0d%0aa',
    'https://www.dif.io/daily/?/x',
    'https://www.dif.io/daily/',
  ])('%s is left alone', (source) => expect(text(source)).toBe(source));

  it('that unsubscribes, or that a template says is direct, is left alone', () => {
    const unsubscribeUrl = 'https://www.dif.io/u/abc';
    const source = `${unsubscribeUrl} https://www.dif.io/x \uE000https://www.dif.io/legal/`;
    expect(text(source, { unsubscribeUrl })).toBe(
      `${unsubscribeUrl} https://www.dif.io/daily/?/x \uE000https://www.dif.io/legal/`,
    );
    expect(html(`<a href="${unsubscribeUrl}">x</a>`, { unsubscribeUrl })).toBe(
      `<a href="${unsubscribeUrl}">x</a>`,
    );
  });

  it('tells recipients apart when it gets a token, and is counted under the same name', () => {
    const rewriter = new LinkRewriter(links);
    const found = new Set<string>();
    for (const token of ['aaaa', 'bbbb', ''])
      expect(rewriter.rewriteText('https://www.dif.io/x?y=z#here', found, { token })).toBe(
        `https://www.dif.io/daily/?${token}/x?y=z#here`,
      );
    expect([...found]).toEqual(['/x?y=z']);
  });
});

describe('a link in HTML', () => {
  it.each([
    [
      '<a href="https://www.dif.io/x">https://www.dif.io/x</a>',
      '<a href="https://www.dif.io/daily/?/x">https://www.dif.io/x</a>',
    ],
    [
      "<A HREF='https://www.dif.io/x?a=b&amp;c=d'>",
      "<A HREF='https://www.dif.io/daily/?/x?a&#61;b&#38;c&#61;d'>",
    ],
    ['<a class=b href=https://www.dif.io/x>', '<a class=b href=https://www.dif.io/daily/?/x>'],
    ['<area href=" https://www.dif.io/x ">', '<area href="https://www.dif.io/daily/?/x">'],
  ])('%s becomes %s', (source, expected) => expect(html(source)).toBe(expected));

  it.each([
    '<img src="https://www.dif.io/x.png">',
    '<link href="https://www.dif.io/x.css">',
    '<!-- <a href="https://www.dif.io/x"> -->',
    '<p title="<a href=https://www.dif.io/x>">https://www.dif.io/x</p>',
    '<a href="/x"><a href><a href="">',
    '<a href="javascript:alert(1)//https://www.dif.io/x">',
    '<style>a { content: "<a href=\'https://www.dif.io/x\'>" }</style>',
  ])('%s is left alone', (source) => expect(html(source)).toBe(source));
});

/** What authors and their systems write: tame paths, and every ASCII character and some beyond in places where it may be. */
const wild = fc.string({
  unit: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...'abcXYZ019-._~!$&\'()*+,;=:@/?[]{}|^`"<>\\%#') },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        '%20',
        '%2F',
        '%27',
        '%0a',
        '%C3%BC',
        '%',
        '..',
        './',
        '//',
        '&amp;',
        'utm_source=x',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('ü', 'é', '東', '…', '’', '😀', '\u00a0') },
  ),
  maxLength: 24,
});
const tame = fc
  .record({
    path: fc.webPath(),
    query: fc.option(fc.webQueryParameters()),
    fragment: fc.option(fc.webFragments()),
  })
  .map(
    ({ path, query, fragment }) =>
      `${path}${query === null ? '' : `?${query}`}${fragment === null ? '' : `#${fragment}`}`,
  );
const tail = fc.oneof(
  tame,
  wild.map((part) => `/${part}`),
  wild.map((part) => `/x?${part}`),
  wild.map((part) => `/x#${part}`),
);
const around = fc.constantFrom(
  ['', ''],
  ['(', ')'],
  ['<', '>'],
  ['[x](', ').'],
  ['"', '",'],
  ['', '. Next'],
  ['- ', '\n'],
);

/** What a browser does with a link of the mail. */
function follow(link: string): string | undefined {
  const url = new URL(link);
  const followed = followLink(url.search, url.origin, links.prefix, UTM);
  return followed && followed.href + url.hash;
}

/** The link as it was, with what is missing of the UTM parameters. */
function expected(link: string): string {
  const url = new URL(link.replace(/^([^?#]*)/, (path) => path.replaceAll("'", '%27')));
  const names = url.search
    .slice(1)
    .split('&')
    .map((pair) => pair.split('=')[0]);
  const added = UTM.filter(([name]) => !names.includes(name)).map((pair) => pair.join('='));
  const joint = url.search === '' ? '?' : url.search.endsWith('&') ? '' : '&';
  return (
    url.origin + url.pathname + url.search + (added.length > 0 ? joint + added.join('&') : '') + url.hash
  );
}

/** Paths that a redirect can't tell from a trick. */
const isTricky = (link: string) =>
  new URL(link).pathname.startsWith('//') ||
  /\\|%(25)*(5c|[01][0-9a-f]|7f)/i.test(link) ||
  /^\/(%(25)*2f)/i.test(new URL(link).pathname);

describe('whatever the link, following it leads to the original with its UTM parameters', () => {
  it('in a text, as mail programs find it there', () => {
    const finder = new LinkifyIt().set({ fuzzyLink: false, fuzzyEmail: false });
    const rewriter = new LinkRewriter(links);
    const hasOtherEnd = (source: string, { index, lastIndex }: Match) => {
      const start = index + ORIGIN.length;
      const prefixed = `${source.slice(0, start)}/daily/?${source.slice(start)}`;
      return finder.match(prefixed)?.[0]?.lastIndex !== lastIndex + '/daily/?'.length;
    };
    let followedBack = 0;
    fc.assert(
      fc.property(tail, around, (end, [before, after]) => {
        const source = `${before}${ORIGIN}${end}${after}`;
        const [original] = finder.match(source) ?? [];
        const rewritten = rewriter.rewriteText(source, new Set());
        const [found] = finder.match(rewritten) ?? [];
        if (rewritten === source)
          expect(!original || isTricky(original.url) || hasOtherEnd(source, original), source).toBe(true);
        else {
          expect(follow(found?.url ?? ''), source).toBe(expected(original?.url ?? ''));
          followedBack += 1;
        }
      }),
      { numRuns: 100_000, seed: 20261124 },
    );
    // A test in which everything is left alone would show nothing.
    expect(followedBack).toBeGreaterThan(80_000);
  });

  it('in HTML, as browsers read it there', () => {
    const rewriter = new LinkRewriter(links);
    const hrefOf = (page: string) =>
      DomUtils.findOne(({ name }) => name === 'a', parseDocument(page).children)?.attribs.href;
    fc.assert(
      fc.property(tail, fc.constantFrom('"', "'"), (end, quote) => {
        const escaped = `${ORIGIN}${end}`.replace(/[&"'<]/g, (character) => `&#${character.charCodeAt(0)};`);
        const source = `<p>See <a class="x" href=${quote}${escaped}${quote}>this</a></p>`;
        const original = hrefOf(source) ?? '';
        const rewritten = rewriter.rewriteHtml(source, new Set());
        if (rewritten === source) expect(isTricky(original) || /\s/.test(original), source).toBe(true);
        else expect(follow(hrefOf(rewritten) ?? ''), source).toBe(expected(original));
      }),
      { numRuns: 20_000, seed: 20261124 },
    );
  });
});
