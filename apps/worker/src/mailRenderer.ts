/**
 * From a pinned run and one of its recipients to the request that SES gets, and the note of which links went out. The note
 * is not waited for: it has to be there before somebody clicks, not before the mail leaves.
 */
import type { Recipient } from '@sendonce/shared/ledger';
import type { Clicks, LinkTokens } from '@sendonce/shared/links';
import { TemplateError } from '@sendonce/shared/message';
import type { Logger } from '@sendonce/shared/runtime';
import { type MailPosition, type MailSender, makeSendEmailInput } from '@sendonce/shared/ses';
import type { UnsubscribeLinks } from '@sendonce/shared/suppression';
import type { PinnedRun } from './pinnedRuns.js';

/** A run whose mails have other links for everybody: more of them are not noted (`MAX_LINKS` in clicks.ts). */
const NOTED_LINKS = 1_000;

export interface MailRendererServices {
  clicks: Clicks;
  links: UnsubscribeLinks;
  linkTokens: LinkTokens;
  logger: Logger;
}

export class MailRenderer {
  readonly #services: MailRendererServices;
  readonly #configurationSet: string | undefined;

  constructor(services: MailRendererServices, { configurationSet }: { configurationSet?: string } = {}) {
    this.#services = services;
    this.#configurationSet = configurationSet;
  }

  /** `error`: the recipient does not fit the template; says nothing of the address. */
  render(
    pinned: PinnedRun,
    recipient: Recipient,
    at: MailPosition,
  ): { mail: Parameters<MailSender['send']>[0] } | { error: string } {
    const { attachments, snapshot, template, scheduledAt } = pinned;
    const { id: campaign, definition } = snapshot;
    const { links, linkTokens } = this.#services;
    const { address, fields } = recipient;
    const unsubscribeUrl = definition.unsubscribe
      ? links.urlFor({ address, campaign, scheduledAt })
      : undefined;
    const linkToken = definition.links?.per_recipient
      ? linkTokens.make(campaign, { scheduledAt, ...at })
      : undefined;
    try {
      const message = template.render({ address, fields, unsubscribeUrl, linkToken });
      if (message.links) this.#note(at.run, pinned.notedLinks, message.links);
      const { subject, text, html } = message;
      const mail = makeSendEmailInput(
        {
          from: definition.from,
          to: address,
          listId: definition.list_id,
          unsubscribeUrl,
          subject,
          text,
          html,
          replyTo: definition.reply_to,
          attachments,
          configurationSet: this.#configurationSet,
        },
        at,
      );
      return { mail };
    } catch (error) {
      if (error instanceof TemplateError) return { error: error.message };
      throw error;
    }
  }

  #note(run: string, noted: Set<string>, links: ReadonlySet<string>): void {
    const fresh = [...links].filter((link) => !noted.has(link)).slice(0, NOTED_LINKS - noted.size);
    if (fresh.length === 0) return;
    for (const link of fresh) noted.add(link);
    const { clicks, logger } = this.#services;
    clicks.register(run, fresh).catch((error: unknown) => {
      // The next mail that has them tries again.
      for (const link of fresh) noted.delete(link);
      logger.warn({ run, err: error }, 'links not noted: clicks on them count for another run');
    });
  }
}
