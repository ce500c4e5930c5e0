/** The page to log in at. */
import { html } from '../html.js';
import { layout } from '../layout.js';

export interface LoginView {
  /** Where to go afterwards. */
  to: string;
  problem?: string;
  hasPasswords: boolean;
  hasOidc: boolean;
}

export function loginPage({ to, problem, hasPasswords, hasOidc }: LoginView): string {
  return layout({
    title: 'Log in',
    isPlain: true,
    body: html`<div class="login">
      <h1>Sendonce</h1>
      ${problem ? html`<p class="problem" role="alert">${problem}</p>` : ''}
      ${hasOidc ? html`<p><a class="button" href="/login/oidc?${new URLSearchParams({ to }).toString()}">Log in with your organisation's account</a></p>` : ''}
      ${
        hasPasswords
          ? html`<form method="post" action="/login">
        <input type="hidden" name="to" value="${to}">
        <label>Name <input name="user" autocomplete="username" required autofocus></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required></label>
        <button>Log in</button>
      </form>`
          : ''
      }
    </div>`,
  });
}

/** Only paths of ours: a login page that sends people anywhere is an open redirect. */
export function safeTarget(to: unknown): string {
  if (typeof to !== 'string' || !/^\/(?![/\\])/.test(to)) return '/';
  // Browsers leave out tabs and line breaks in addresses, and then the second character may be a slash after all.
  return /[\p{Cc}\\]/u.test(to) ? '/' : to;
}
