/** What all pages share: the frame, the policy, and escaping. Mails are strangers' text: nothing in them may load or run. */
import { createHash } from 'node:crypto';
import type { Response } from 'express';
import { STYLE } from './inboxStyle.js';

const styleHash = createHash('sha256').update(STYLE).digest('base64');
const CSP = `default-src 'none'; style-src 'sha256-${styleHash}'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** @param refreshSeconds the page loads itself again. */
export function sendPage(response: Response, title: string, content: string, refreshSeconds?: number): void {
  const refresh = refreshSeconds ? `<meta http-equiv="refresh" content="${refreshSeconds}">` : '';
  response.set({
    'content-security-policy': CSP,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  });
  response.type('html').send(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${escapeHtml(title)} · Local SES</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><header><a class="brand" href="/"><span class="mark" aria-hidden="true"></span>Local SES</a><span class="note">Nothing here leaves this machine.</span></header>
<main>${content}</main></body></html>`);
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function formatNumber(value: number): string {
  return value.toLocaleString('en');
}

/** In UTC, to the second. */
export function formatTime(date: Date): string {
  const text = date.toISOString();
  return `<time datetime="${text}">${text.slice(0, 19).replace('T', ' ')}</time>`;
}
