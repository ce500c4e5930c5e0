/**
 * The text part of a campaign that has none: made of the HTML's template, once, with the Liquid tags in their places, so
 * that it is a template like a written one. Per recipient it would cost 1 ms and more a mail, hundreds of times what a
 * recipient's text costs. What is lost by it: markup in a value (`{{ x | raw }}`) stays markup; then a body.txt is better.
 */
import type { FormatCallback } from 'html-to-text';
import type { LiquidGuard } from './liquidGuard.js';

/** Pictures are their `alt`, what is not shown is left out, and no line is cut: lines are folded when a mail is made. */
export async function textOfHtml(guard: LiquidGuard, html: string): Promise<string> {
  const { convert } = await import('html-to-text');
  const headings = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];
  const text = convert(html, {
    wordwrap: false,
    formatters: { alternative, cell },
    selectors: [
      { selector: 'a', options: { hideLinkHrefIfSameAsText: true, linkBrackets: ['(', ')'] } },
      { selector: 'img', format: 'alternative' },
      ...headings.map((selector) => ({ selector, options: { uppercase: false } })),
      // Layouts are tables in mails: what is beside one another comes after one another.
      { selector: 'table', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
      { selector: 'tr', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
      { selector: 'td', format: 'cell' },
      { selector: 'th', format: 'cell' },
      ...['display:none', 'display: none'].map((style) => ({
        selector: `[style*="${style}"]`,
        format: 'skip',
      })),
    ],
  });
  const lines = text.split('\n').map((line) => line.trimEnd());
  return `${guard.joinTagLines(
    `${lines
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim()}\n`,
  )}`;
}

const alternative: FormatCallback = ({ attribs }, _walk, builder) => {
  if (attribs.alt) builder.addInline(attribs.alt);
};

const cell: FormatCallback = ({ children }, walk, builder) => {
  walk(children, builder);
  builder.addInline(' ');
};
