/**
 * The SendEmail request of one recipient. SES assembles the MIME message from it (content type, transfer encoding, Date and
 * Message-ID are SES's); text lines are short enough by then, see message/.
 */
import type {
  MessageHeader,
  SendEmailCommandInput,
  Attachment as SesAttachment,
} from '@aws-sdk/client-sesv2';
import type { Attachment, AttachmentContents } from '../attachments/index.js';

/** Tags of a mail; SES's events carry them, and lead back to the recipient without an address. */
export const TAGS = { run: 'sendonce_run', chunk: 'sendonce_chunk', position: 'sendonce_position' } as const;

export interface MailPosition {
  run: string;
  chunk: number;
  position: number;
}

export interface MailContent {
  from: string;
  replyTo?: string | undefined;
  to: string;
  subject: string;
  text: string;
  html?: string | undefined;
  /** RFC 2919: `name <list-id>`. */
  listId: string;
  /** Where a POST unsubscribes the recipient, without a login, and a GET shows a page. */
  unsubscribeUrl?: string | undefined;
  configurationSet?: string | undefined;
  /** One list for all mails of a run: what can be made of it once is. */
  attachments?: SesAttachment[] | undefined;
}

/** The same for every request that may ever be made for this recipient in this run: receivers can discard copies by it. */
export function sendonceId({ run, chunk, position }: MailPosition): string {
  return `${run}/${chunk}/${position}`;
}

/**
 * Files as SES takes them. Without a transfer encoding it would put them into the mail as 7-bit text.
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Attachment.html
 */
export function makeSesAttachments(
  attachments: readonly Attachment[],
  contents: AttachmentContents,
): SesAttachment[] | undefined {
  if (attachments.length === 0) return undefined;
  return attachments.map(({ contentId, contentType, file, hash, name }) => {
    const content = contents.get(hash);
    if (!content) throw new Error(`The content of ${file} is missing.`);
    return {
      FileName: name,
      ContentType: contentType,
      ContentTransferEncoding: 'BASE64',
      ...(contentId
        ? { ContentDisposition: 'INLINE', ContentId: contentId }
        : { ContentDisposition: 'ATTACHMENT' }),
      RawContent: content,
    };
  });
}

export function makeSendEmailInput(content: MailContent, at?: MailPosition): SendEmailCommandInput {
  const headers: MessageHeader[] = [
    { Name: 'List-Id', Value: content.listId },
    // RFC 3834: nobody's vacation notice should answer. Precedence does the same for older systems.
    { Name: 'Auto-Submitted', Value: 'auto-generated' },
    { Name: 'Precedence', Value: 'bulk' },
    ...(content.unsubscribeUrl ? unsubscribeHeaders(content.unsubscribeUrl) : []),
    ...(at ? [{ Name: 'X-Sendonce-Id', Value: sendonceId(at) }] : []),
  ];
  const utf8 = (Data: string) => ({ Data, Charset: 'UTF-8' });
  return {
    FromEmailAddress: content.from,
    ReplyToAddresses: content.replyTo ? [content.replyTo] : undefined,
    Destination: { ToAddresses: [content.to] },
    Content: {
      Simple: {
        Subject: utf8(content.subject),
        Body: { Text: utf8(content.text), Html: content.html ? utf8(content.html) : undefined },
        Headers: headers,
        Attachments: content.attachments,
      },
    },
    EmailTags: at && [
      { Name: TAGS.run, Value: at.run },
      { Name: TAGS.chunk, Value: String(at.chunk) },
      { Name: TAGS.position, Value: String(at.position) },
    ],
    ConfigurationSetName: content.configurationSet || undefined,
  };
}

/** RFC 2369 and RFC 8058: mail programs show a button for these. The second one promises that a POST is enough. */
function unsubscribeHeaders(url: string): MessageHeader[] {
  return [
    { Name: 'List-Unsubscribe', Value: `<${url}>` },
    { Name: 'List-Unsubscribe-Post', Value: 'List-Unsubscribe=One-Click' },
  ];
}
