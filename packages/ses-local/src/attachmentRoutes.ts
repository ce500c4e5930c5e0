/** A mail's attachments: to be downloaded, and as pictures in its HTML part. */
import { Router } from 'express';
import type { SendEmailRequest } from './checks.js';
import type { MailStore, StoredMail } from './mailStore.js';

type SimpleContent = NonNullable<SendEmailRequest['Content']['Simple']>;

export function attachmentRoutes(mails: MailStore): Router {
  const router = Router();
  router.get('/mails/:id/attachments/:index', (request, response, next) => {
    const attachment = attachmentsOf(mails.get(request.params.id))[Number(request.params.index)];
    if (!attachment) return next();
    // Whatever it is, it is saved and not shown: it may be a page with a script.
    response.attachment(attachment.FileName);
    response.set({
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
    response.type('application/octet-stream').send(Buffer.from(attachment.RawContent, 'base64'));
  });
  return router;
}

export function attachmentsOf(mail: StoredMail | undefined): SimpleContent['Attachments'] {
  return mail?.email?.request.Content.Simple?.Attachments ?? [];
}

/** The HTML part as a mail program shows it: `cid:…` is the attachment of that id (RFC 2392). */
export function shownHtml({ Attachments, Body }: SimpleContent): string | undefined {
  let html = Body.Html?.Data;
  for (const { ContentId, ContentType = '', RawContent } of Attachments)
    if (ContentId && /^image\//i.test(ContentType))
      html = html?.replaceAll(`cid:${ContentId}`, `data:${ContentType.split(';')[0]};base64,${RawContent}`);
  return html;
}

/** Bytes of what a base64 text stands for. */
export function sizeOf(base64: string): number {
  return Buffer.byteLength(base64, 'base64');
}
