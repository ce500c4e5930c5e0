/** The frame of every operators' page: what is on it in any case, and what it may load. */

import type { Viewer } from './access/sessions.js';
import { type Html, html, toHtml } from './html.js';

/** Of pages that are shown to anybody: no script, and nowhere to connect to. */
export const PLAIN_CSP = {
  'default-src': ["'none'"],
  'style-src': ["'self'"],
  'img-src': ["'self'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'base-uri': ["'none'"],
};

/** Scripts, styles and streams of our own, and nothing from elsewhere. uPlot sets styles by script, which needs no leave. */
export const PAGE_CSP = {
  ...PLAIN_CSP,
  'script-src': ["'self'"],
  'connect-src': ["'self'"],
  'frame-src': ["'self'"],
};

export interface View {
  title: string;
  body: Html;
  /** Which entry of the navigation it belongs to. */
  section?: Section;
  /** Parts with `data-live` and an id are kept up to date. */
  isLive?: boolean;
  /** Without a script: for pages before the login. */
  isPlain?: boolean;
  /** Where a browser goes on to by itself, a moment later. */
  refreshTo?: string;
}

const SECTIONS = {
  overview: ['/', 'Overview'],
  campaigns: ['/campaigns', 'Campaigns'],
  runs: ['/runs', 'Runs'],
  suppressions: ['/suppressions', 'Suppressions'],
  queues: ['/queues', 'Queues'],
  audit: ['/audit', 'Audit'],
} as const;
type Section = keyof typeof SECTIONS;

/** @param viewer missing on pages before the login. */
export function layout({ title, body, section, isLive, isPlain, refreshTo }: View, viewer?: Viewer): string {
  return toHtml(html`${DOCTYPE}
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Sendonce</title>
<link rel="icon" href="/assets/icon.svg"><link rel="stylesheet" href="/assets/uPlot.css"><link rel="stylesheet" href="/assets/style.css">
${refreshTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${refreshTo}">`}${!isPlain && SCRIPTS}</head>
<body${isLive ? html` data-live-page` : ''}>
<a class="skip" href="#main">Skip to the content</a>
${viewer && header(viewer, section)}
<p id="connection" role="status" hidden></p>
<main id="main">${body}</main>
</body></html>`);
}

const SCRIPTS = html`<script src="/assets/uPlot.js" defer></script><script src="/assets/dashboard.js" defer></script>`;
const DOCTYPE = html`<!doctype html>`;

function header(viewer: Viewer, section: Section | undefined): Html {
  return html`<header><a class="brand" href="/">Sendonce</a>
    <nav aria-label="Pages">${Object.entries(SECTIONS).map(
      ([name, [href, label]]) =>
        html`<a href="${href}"${name === section ? html` aria-current="page"` : ''}>${label}</a>`,
    )}</nav>
    <form method="post" action="/logout">${csrfField(viewer)}<span class="who">${viewer.name} (${viewer.role})</span> <button>Log out</button></form></header>`;
}

/** Goes into every form that changes something. */
export function csrfField({ csrf }: Viewer): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}
