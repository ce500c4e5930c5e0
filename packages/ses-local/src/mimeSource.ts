/** The message as SES would hand it to the recipient's server (RFC 5322), made when somebody looks at it. */
import MailComposer from 'nodemailer/lib/mail-composer';
import { type Email, rawText } from './email.js';

export async function mimeSource(email: Email, messageId: string, acceptedAt: Date): Promise<string> {
  const { Content, Destination, ReplyToAddresses } = email.request;
  if (Content.Raw) return rawText(Content.Raw.Data);
  const { Simple } = Content;
  if (!Simple) return '';
  const { Text, Html } = Simple.Body;
  // Names as they were given; the library would write X-Sendonce-ID.
  const given = new Map(Simple.Headers.map(({ Name }) => [Name.toLowerCase(), Name]));
  const composer = new MailComposer({
    // SES puts its own over whatever was asked for.
    messageId: `<${messageId}@email.amazonses.com>`,
    date: acceptedAt,
    from: email.from,
    to: Destination.ToAddresses,
    cc: Destination.CcAddresses,
    replyTo: ReplyToAddresses,
    subject: Simple.Subject.Data,
    normalizeHeaderKey: (key) => given.get(key.toLowerCase()) ?? key,
    headers: Simple.Headers.map(({ Name, Value }) => ({ key: Name, value: Value })),
    ...(Text && { text: Text.Data }),
    ...(Html && { html: Html.Data }),
    attachments: Simple.Attachments.map((attachment) => ({
      content: Buffer.from(attachment.RawContent, 'base64'),
      filename: attachment.FileName,
      contentDisposition: attachment.ContentDisposition === 'INLINE' ? 'inline' : 'attachment',
      ...(attachment.ContentType && { contentType: attachment.ContentType }),
      ...(attachment.ContentId && { cid: attachment.ContentId }),
    })),
  });
  return (await composer.compile().build()).toString('utf8');
}
