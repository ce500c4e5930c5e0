/** The head of every page behind the login: where one can go, who one is, and out. */
import type { Viewer } from './access/sessions.js';
import type { Html, RenderTools } from './page.js';

export function pageHeader({ html }: RenderTools, viewer: Viewer): Html {
  return html`<header><a class="brand" href="/">Sendonce</a><a href="/queues">Queues</a><a href="/audit">Audit</a>
    <form method="post" action="/logout">${csrfField({ html }, viewer)}<span>${viewer.name} (${viewer.role})</span>
      <button>Log out</button></form></header>`;
}

/** Belongs into every form that changes something. */
export function csrfField({ html }: RenderTools, { csrf }: Viewer): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}
