/**
 * The static page of a campaign's prefix, for sites without a server of their own (S3, GitHub Pages): one file, nothing
 * loaded from elsewhere, and a policy under which only its own script runs.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { followLink } from './followLink.js';
import type { LinkPage } from './linkPages.js';

const asset = (name: string) =>
  readFileSync(new URL(`../../src/links/browser/${name}`, import.meta.url), 'utf8');
const redirect = asset('redirect.js');

const STYLE = `
:root { color-scheme: light dark; }
body { display: grid; place-items: center; min-height: 90vh; margin: 0; padding: 1rem; font: 17px/1.5 system-ui, sans-serif; }
`;

export interface LinksPageOptions {
  /** Where visits are told, by `navigator.sendBeacon`: the public app's address with the prefix. Missing: nowhere. */
  beacon?: string;
}

export function linksPage({ prefix, utm }: LinkPage, { beacon }: LinksPageOptions = {}): string {
  // `<` could end the script; the values are checked by the campaign's schema, the address by the command.
  const page = JSON.stringify({ prefix, utm, beacon }).replaceAll('<', '\\u003c');
  const script = `\nconst page = ${page};\n${followLink.toString()}\n${redirect}`;
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(STYLE)}'`,
    ...(beacon ? [`connect-src ${new URL(beacon).origin}`] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex, nofollow">
<title>One moment</title>
<style>${STYLE}</style>
</head>
<body>
<noscript><p>The page that you want has this one’s address, without <b>${prefix}?</b> in it. Or begin at the <a href="/">start page</a>.</p></noscript>
<p id="nowhere" hidden>This link leads nowhere. Begin at the <a href="/">start page</a>.</p>
<script>${script}</script>
</body>
</html>
`;
}

/** For the pages that mails link to: takes the UTM parameters out of the address bar. */
export function readCleanUrlScript(): string {
  return asset('clean-url.js');
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
