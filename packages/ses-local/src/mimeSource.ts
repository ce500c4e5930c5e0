/** The message as SES would hand it to the recipient's server (RFC 5322), made when somebody looks at it. */
import MailComposer from 'nodemailer/lib/mail-composer';
import type { StoredMail } from './mailStore.js';

export async function mimeSource({ request, messageId, acceptedAt }: StoredMail): Promise<string> {
  const { Raw, Simple } = request.Content;
  if (Raw) return Buffer.from(Raw.Data, 'base64').toString('utf8');
  if (!Simple) return '';
  const { Text, Html } = Simple.Body;
  const composer = new MailComposer({
    // SES puts its own over whatever was asked for.
    messageId: `<${messageId}@email.amazonses.com>`,
    date: acceptedAt,
    from: request.FromEmailAddress,
    to: request.Destination.ToAddresses,
    cc: request.Destination.CcAddresses,
    replyTo: request.ReplyToAddresses,
    subject: Simple.Subject.Data,
    headers: Simple.Headers.map(({ Name, Value }) => ({ key: Name, value: Value })),
    ...(Text && { text: Text.Data }),
    ...(Html && { html: Html.Data }),
  });
  return (await composer.compile().build()).toString('utf8');
}
