/** The frame of every page of ours, and a template tag that escapes whatever is put into it. */
import { createHash } from 'node:crypto';
import { STYLE } from './style.js';

/** HTML that is safe as it is; anything else is escaped. */
class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | undefined | readonly Value[];

function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(
    strings.map((text, index) => text + (index < values.length ? toHtml(values[index]) : '')).join(''),
  );
}

function toHtml(value: Value): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(toHtml).join('');
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export type { Html };
export type RenderTools = { html: typeof html };

const styleHash = createHash('sha256').update(STYLE).digest('base64');

/** What our pages may load: their own style sheet, and nothing else. */
export const PAGE_CSP = {
  'default-src': ["'none'"],
  'style-src': [`'sha256-${styleHash}'`],
  'img-src': ["'self'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'base-uri': ["'none'"],
};

export function page(
  title: string,
  render: (tools: RenderTools) => Html,
  { refreshSeconds, refreshTo }: { refreshSeconds?: number; refreshTo?: string } = {},
): string {
  const target = refreshTo === undefined ? '' : `;url=${refreshTo}`;
  const refresh =
    refreshSeconds === undefined
      ? ''
      : `<meta http-equiv="refresh" content="${refreshSeconds}${toHtml(target)}">`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${toHtml(title)} · Sendonce</title><style>${STYLE}</style></head><body>${toHtml(render({ html }))}</body></html>`;
}
