/**
 * What SendEmail takes, and what SES checks of it. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 */
import { z } from 'zod';
import { addressProblem } from './address.js';
import { type Email, emailOf, rawText } from './email.js';
import { parseHeaderFields, valuesOf } from './rawMessage.js';
import { REFUSED_EXTENSIONS } from './refusedExtensions.js';
import { SesError } from './sesError.js';

const MAX_RECIPIENTS = 50;
const MAX_TAGS = 50;
/** A whole message after base64. SES v2 and SMTP: 40 MB, v1: 10 MB. https://docs.aws.amazon.com/ses/latest/dg/quotas.html */
export const MAX_MESSAGE_BYTES = 40 * 1_024 * 1_024;
/** Headers of one's own: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Message.html, API_MessageHeader.html */
const MAX_HEADERS = 15;
const MAX_HEADER_NAME = 126;
const MAX_HEADER_VALUE = 995;
const MAX_HEADER_LINE = 996;
/** RFC 5322, 2.1.1. */
const MAX_LINE_OCTETS = 998;

/** SES sets these itself. https://docs.aws.amazon.com/ses/latest/dg/header-fields.html */
const FORBIDDEN_HEADERS = new Set([
  'bcc',
  'cc',
  'content-disposition',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'reply-to',
  'return-path',
  'subject',
  'to',
]);
/** Of those that may come once only (same page), the ones that senders of campaigns use. */
const SINGLE_HEADERS = new Set([
  ...['archived-at', 'auto-submitted', 'comments', 'errors-to', 'importance', 'in-reply-to', 'keywords'],
  ...[
    'list-archive',
    'list-help',
    'list-id',
    'list-owner',
    'list-post',
    'list-subscribe',
    'list-unsubscribe',
  ],
  ...[
    'list-unsubscribe-post',
    'organization',
    'precedence',
    'priority',
    'references',
    'sender',
    'user-agent',
  ],
]);

const part = z.object({ Data: z.string(), Charset: z.string().optional() });
const addresses = z.array(z.string()).default([]);
const pair = z.object({ Name: z.string(), Value: z.string() });
/** https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Attachment.html */
const attachment = z.object({
  RawContent: z.base64(),
  FileName: z.string().min(1).max(255),
  ContentType: z.string().min(1).max(78).optional(),
  ContentDisposition: z.enum(['ATTACHMENT', 'INLINE']).optional(),
  ContentDescription: z.string().max(1_000).optional(),
  ContentId: z.string().min(1).max(78).optional(),
  ContentTransferEncoding: z.enum(['BASE64', 'QUOTED_PRINTABLE', 'SEVEN_BIT']).default('SEVEN_BIT'),
});

export const SendEmailRequest = z.object({
  FromEmailAddress: z.string().optional(),
  Destination: z
    .object({ ToAddresses: addresses, CcAddresses: addresses, BccAddresses: addresses })
    .default({ ToAddresses: [], CcAddresses: [], BccAddresses: [] }),
  ReplyToAddresses: addresses,
  EmailTags: z.array(pair).default([]),
  ConfigurationSetName: z.string().optional(),
  Content: z.object({
    Simple: z
      .object({
        Subject: part,
        Body: z.object({ Text: part.optional(), Html: part.optional() }),
        Headers: z.array(pair).default([]),
        Attachments: z.array(attachment).default([]),
      })
      .optional(),
    Raw: z.object({ Data: z.base64() }).optional(),
    Template: z.unknown().optional(),
  }),
});

export type SendEmailRequest = z.output<typeof SendEmailRequest>;

/** @throws {SesError} 400, as SES refuses it. */
export function checkSendEmail(body: unknown): Email {
  const parsed = SendEmailRequest.safeParse(body);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `at '${path.join('.')}': ${message}`);
    throw bad(
      `${issues.length} validation error${issues.length > 1 ? 's' : ''} detected: ${issues.join('; ')}`,
    );
  }
  checkContent(parsed.data);
  const email = emailOf(parsed.data);
  checkAddresses(email);
  checkTags(email);
  return email;
}

function checkAddresses({ from, recipients, request }: Email): void {
  if (recipients.length === 0) throw bad('Missing final destination: there is no recipient');
  if (recipients.length > MAX_RECIPIENTS) throw bad(`Recipient count exceeds ${MAX_RECIPIENTS}.`);
  if (from === '') throw bad("Missing required header 'From'.");
  const { BccAddresses, CcAddresses, ToAddresses } = request.Destination;
  for (const list of [ToAddresses, CcAddresses, BccAddresses, request.ReplyToAddresses, [from], recipients]) {
    for (const address of list) {
      const problem = addressProblem(address);
      if (problem) throw bad(problem);
    }
  }
}

function checkTags({ tags, request }: Email): void {
  if (request.EmailTags.length > MAX_TAGS) throw bad(`A message can have ${MAX_TAGS} tags at the most.`);
  for (const name in tags) {
    for (const text of [name, tags[name] as string]) {
      if (!/^[A-Za-z0-9_-]{1,256}$/.test(text))
        throw bad(`Invalid tag "${name}": names and values are 1 to 256 letters, digits, - and _.`);
    }
  }
}

function checkContent({ Content: { Raw, Simple, Template } }: SendEmailRequest): void {
  if (Template !== undefined) throw bad('Templates are not part of this simulator; use Simple or Raw.');
  if (Raw && Simple) throw bad('Content takes one of Simple, Raw and Template.');
  if (Raw) checkRaw(Raw.Data);
  else if (Simple) checkSimple(Simple);
  else throw bad('Content needs one of Simple, Raw and Template.');
}

function checkRaw(data: string): void {
  if (data.length > MAX_MESSAGE_BYTES) throw tooLong();
  const message = rawText(data);
  checkLines(message);
  if (valuesOf(parseHeaderFields(message), 'from').length > 1) throw bad("Duplicate header 'From'.");
}

function checkSimple({
  Attachments,
  Body,
  Headers,
  Subject,
}: NonNullable<SendEmailRequest['Content']['Simple']>): void {
  if (!Body.Text && !Body.Html) throw bad('Body needs Text or Html.');
  if (/[\r\n]/.test(Subject.Data)) throw bad('Control characters in the subject.');
  const size = Attachments.reduce((sum, { RawContent }) => sum + RawContent.length, 0);
  const textSize = Buffer.byteLength(Body.Text?.Data ?? '') + Buffer.byteLength(Body.Html?.Data ?? '');
  if (size + textSize > MAX_MESSAGE_BYTES) throw tooLong();
  for (const each of Attachments) checkAttachment(each);
  // SES would fold such lines by quoted-printable, and links in plain text suffer from that in some clients: here they are
  // refused, so that the sender's own folding is put to the test.
  if (Body.Text) checkLines(Body.Text.Data);
  if (Headers.length > MAX_HEADERS)
    throw bad(`A message can have ${MAX_HEADERS} headers of its own at the most.`);
  const names = new Set<string>();
  for (const { Name, Value } of Headers) {
    checkHeader(Name, Value);
    const lower = Name.toLowerCase();
    if (names.has(lower) && SINGLE_HEADERS.has(lower)) throw bad(`Duplicate header '${Name}'.`);
    names.add(lower);
  }
}

function checkAttachment({
  ContentTransferEncoding,
  FileName,
  RawContent,
}: z.output<typeof attachment>): void {
  const extension = /\.([^.]+)$/.exec(FileName)?.[1]?.toLowerCase();
  if (extension === undefined) throw bad(`The file name '${FileName}' has no extension.`);
  if (REFUSED_EXTENSIONS.has(extension)) throw bad(`Unsupported filename '${FileName}'.`);
  // SES's default. What it makes of other bytes is not documented; a sender should not find out.
  const isSevenBit = ContentTransferEncoding === 'SEVEN_BIT';
  if (isSevenBit && Buffer.from(RawContent, 'base64').some((byte) => byte > 127))
    throw bad(`'${FileName}' is not 7-bit: it needs the ContentTransferEncoding BASE64.`);
}

/** Walks over the text instead of splitting it: most of a check's time would go into that. */
function checkLines(text: string): void {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const stop = end < 0 ? text.length : end;
    // Three octets a UTF-16 unit at the most; only a long line is measured.
    if ((stop - start) * 3 > MAX_LINE_OCTETS) {
      const octets = Buffer.byteLength(text.slice(start, stop).replace(/\r$/, ''));
      if (octets > MAX_LINE_OCTETS) throw bad(`A line is longer than ${MAX_LINE_OCTETS} octets (RFC 5322).`);
    }
    start = stop + 1;
  }
}

function checkHeader(name: string, value: string): void {
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name) || name.length > MAX_HEADER_NAME)
    throw bad(`Invalid header name '${name.slice(0, MAX_HEADER_NAME)}'.`);
  if (FORBIDDEN_HEADERS.has(name.toLowerCase())) throw bad(`Header '${name}' is not allowed.`);
  if (!/^[\x20-\x7e]*$/.test(value)) throw bad(`Header '${name}' has characters other than printable ASCII.`);
  if (value.length > MAX_HEADER_VALUE || name.length + value.length > MAX_HEADER_LINE)
    throw bad(`Header '${name}' is too long.`);
}

function tooLong(): SesError {
  return bad(`Message length is more than ${MAX_MESSAGE_BYTES} bytes long.`);
}

function bad(message: string): SesError {
  return new SesError(400, 'BadRequestException', message);
}
