/** What somebody reads whose request was refused or went wrong: a sentence, as a page or as JSON, whichever they asked for. */
import type { Request, Response } from 'express';
import { page } from './page.js';

export function refuse(request: Request, response: Response, status: number, text: string): void {
  response.status(status);
  if (request.accepts(['html', 'json']) === 'html') response.type('html').send(problemPage(text));
  else response.json({ error: text });
}

function problemPage(text: string): string {
  return page(
    'Sendonce',
    ({ html }) => html`<main><p class="empty" role="alert">${text} <a href="/">Overview</a></p></main>`,
  );
}
