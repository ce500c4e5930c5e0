/** What recipients read behind the link of a mail, by what they get at the moment. */
import { escapeHtml, publicPage } from './publicPage.js';

/** `blocked`: for a reason that the recipient can't take back, as a bounce. */
export type Subscription = 'subscribed' | 'unsubscribed' | 'unsubscribed-from-everything' | 'blocked';

export interface SubscriptionView {
  state: Subscription;
  campaignName: string;
  maskedAddress: string;
}

/** The values of the page's buttons. */
export type PageAction = 'campaign' | 'everything' | 'resubscribe';

interface Button {
  action: PageAction;
  label: string;
  isMain?: boolean;
}

/** @param isChanged this is the answer to a button, or to a mail program's. */
export function unsubscribePage(
  { state, campaignName, maskedAddress }: SubscriptionView,
  isChanged = false,
): string {
  const name = `“${campaignName}”`;
  const everything: Button = { action: 'everything', label: 'Unsubscribe from everything' };
  switch (state) {
    case 'subscribed':
      return page(
        isChanged ? 'You are subscribed again' : `Unsubscribe from ${name}?`,
        `${maskedAddress} gets the mails of ${name}.`,
        [{ action: 'campaign', label: `Unsubscribe from ${name}`, isMain: true }, everything],
      );
    case 'unsubscribed':
      return page('You are unsubscribed', `${maskedAddress} gets no more mails of ${name}.`, [
        everything,
        { action: 'resubscribe', label: `Subscribe to ${name} again` },
      ]);
    case 'unsubscribed-from-everything':
      return page('You are unsubscribed', `${maskedAddress} gets no more mails from us at all.`, [
        { action: 'resubscribe', label: 'Subscribe again' },
      ]);
    case 'blocked':
      return page(
        'You get no mails',
        `${maskedAddress} is on our list of addresses that we do not write to, because mails came back or somebody asked for it. If that is wrong, please write to us.`,
        [],
      );
  }
}

export function unknownLinkPage(): string {
  return publicPage(
    'This link does not work',
    '<p>It is incomplete or was changed. Please open it from the mail again: long links break when they are copied by hand.</p>',
  );
}

function page(title: string, text: string, buttons: Button[]): string {
  const list = buttons.map(
    ({ action, label, isMain }) =>
      `<button name="action" value="${action}"${isMain ? ' class="main"' : ''}>${escapeHtml(label)}</button>`,
  );
  // Without an action the form goes to the page's own address, also behind a proxy that serves it under a path.
  const form = list.length > 0 ? `<form method="post">${list.join('\n')}</form>` : '';
  return publicPage(title, `<p role="status">${escapeHtml(text)}</p>\n${form}`);
}
