/** What somebody reads whose request was refused or went wrong: a sentence, as a page or as JSON, whichever they asked for. */
import type { Request, Response } from 'express';
import { html } from './html.js';
import { layout } from './layout.js';

export function refuse(request: Request, response: Response, status: number, text: string): void {
  response.status(status);
  if (request.accepts(['html', 'json']) === 'html') response.type('html').send(problemPage(text));
  else response.json({ error: text });
}

function problemPage(text: string): string {
  return layout({
    title: 'That did not work',
    body: html`<h1>That did not work</h1><p class="card" role="alert">${text} <a href="/">Overview</a></p>`,
  });
}
