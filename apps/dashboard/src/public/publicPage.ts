/** The frame of the pages that recipients see: a card in the middle, readable on a phone, without scripts and pictures. */
import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; --text: light-dark(#1d2433, #e6e9f0); --soft: light-dark(#566074, #9aa4b8); --line: light-dark(#d5dae3, #343d50);
  --page: light-dark(#f6f7f9, #12151c); --card: light-dark(#fff, #1a1f2a); --accent: light-dark(#1f56c4, #8ab4ff); --on-accent: light-dark(#fff, #10141c); }
* { box-sizing: border-box; }
body { margin: 0; padding: 1rem; min-height: 100vh; display: grid; place-items: center; background: var(--page); color: var(--text); font: 17px/1.55 system-ui, sans-serif; }
main { width: 100%; max-width: 32rem; padding: 1.8rem; background: var(--card); border: 1px solid var(--line); border-radius: .9rem; }
h1 { margin: 0 0 .6rem; font-size: 1.35rem; line-height: 1.3; overflow-wrap: anywhere; }
p { margin: .6rem 0; overflow-wrap: anywhere; } .soft { color: var(--soft); font-size: .92rem; }
form { display: grid; gap: .7rem; margin: 1.2rem 0 0; }
button { font: inherit; padding: .65rem 1rem; border: 1px solid var(--line); border-radius: .5rem; background: transparent; color: inherit; cursor: pointer; overflow-wrap: anywhere; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
button:hover { border-color: var(--accent); } button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;

const styleHash = createHash('sha256').update(STYLE).digest('base64');

/** Nothing but the style sheet is loaded, forms go to where they come from, and nobody puts the page into a frame. */
export const PUBLIC_CSP = {
  'default-src': ["'none'"],
  'style-src': [`'sha256-${styleHash}'`],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'base-uri': ["'none'"],
};

/** @param body HTML; what comes from outside has gone through `escapeHtml`. */
export function publicPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex, nofollow">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main>
<h1>${escapeHtml(title)}</h1>
${body}
</main></body></html>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
