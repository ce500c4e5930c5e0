/**
 * What SendEmail takes, and what SES checks of it. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 */
import { z } from 'zod';
import { SesError } from './sesError.js';

const MAX_RECIPIENTS = 50;
const MAX_HEADERS = 15;
const MAX_HEADER_NAME = 126;
const MAX_HEADER_VALUE = 995;
const MAX_TAGS = 50;
/** SES v2's default for a whole message, after encoding. https://docs.aws.amazon.com/ses/latest/dg/quotas.html */
export const MAX_MESSAGE_BYTES = 40 * 1_024 * 1_024;
/** RFC 5322, 2.1.1. */
const MAX_LINE_OCTETS = 998;

const FORBIDDEN_HEADERS = new Set([
  ...[
    'bcc',
    'cc',
    'date',
    'from',
    'message-id',
    'mime-version',
    'reply-to',
    'return-path',
    'sender',
    'subject',
    'to',
  ],
]);

const part = z.object({ Data: z.string(), Charset: z.string().optional() });
const addresses = z.array(z.string()).default([]);
const header = z.object({ Name: z.string(), Value: z.string() });

export const SendEmailRequest = z.object({
  FromEmailAddress: z.string().optional(),
  Destination: z
    .object({ ToAddresses: addresses, CcAddresses: addresses, BccAddresses: addresses })
    .default({ ToAddresses: [], CcAddresses: [], BccAddresses: [] }),
  ReplyToAddresses: addresses,
  EmailTags: z.array(header).default([]),
  ConfigurationSetName: z.string().optional(),
  Content: z.object({
    Simple: z
      .object({
        Subject: part,
        Body: z.object({ Text: part.optional(), Html: part.optional() }),
        Headers: z.array(header).default([]),
      })
      .optional(),
    Raw: z.object({ Data: z.base64() }).optional(),
  }),
});

export type SendEmailRequest = z.infer<typeof SendEmailRequest>;

/** @throws {SesError} 400, as SES refuses it. */
export function checkSendEmail(body: unknown): SendEmailRequest {
  const parsed = SendEmailRequest.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw bad(`${issue?.path.join('.')}: ${issue?.message}`);
  }
  const request = parsed.data;
  checkRecipients(request);
  checkTags(request);
  checkContent(request);
  return request;
}

/** Everybody a request goes to. */
export function recipientsOf({ Destination }: SendEmailRequest): string[] {
  return [...Destination.ToAddresses, ...Destination.CcAddresses, ...Destination.BccAddresses];
}

function checkRecipients(request: SendEmailRequest): void {
  const recipients = recipientsOf(request);
  if (recipients.length === 0) throw bad('Missing final destination: there is no recipient');
  if (recipients.length > MAX_RECIPIENTS) throw bad(`Recipient count exceeds ${MAX_RECIPIENTS}.`);
  if (!request.Content.Raw && !request.FromEmailAddress) throw bad('Missing required header From.');
  for (const address of [
    ...recipients,
    ...request.ReplyToAddresses,
    ...(request.FromEmailAddress ? [request.FromEmailAddress] : []),
  ]) {
    const bare = /<([^<>]*)>\s*$/.exec(address)?.[1] ?? address;
    const isPlausible = /^[\x21-\x7e]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(bare);
    if (!isPlausible || /[\r\n]/.test(address))
      throw bad('Local address contains control or whitespace, or the address is malformed');
  }
}

function checkTags({ EmailTags }: SendEmailRequest): void {
  if (EmailTags.length > MAX_TAGS) throw bad(`A message can have ${MAX_TAGS} tags at the most.`);
  for (const { Name, Value } of EmailTags) {
    for (const text of [Name, Value]) {
      if (!/^[A-Za-z0-9_-]{1,256}$/.test(text)) {
        throw bad(`Invalid tag "${Name}": names and values are 1 to 256 letters, digits, - and _.`);
      }
    }
  }
}

function checkContent({ Content: { Raw, Simple } }: SendEmailRequest): void {
  if (!Raw && !Simple) throw bad('Content needs one of Simple, Raw and Template.');
  if (Raw && Buffer.byteLength(Raw.Data, 'base64') > MAX_MESSAGE_BYTES)
    throw bad('Message length is more than the maximum.');
  if (!Simple) return;
  const { Body, Headers, Subject } = Simple;
  if (!Body.Text && !Body.Html) throw bad('Body needs Text or Html.');
  if (/[\r\n]/.test(Subject.Data)) throw bad('Control characters in the subject.');
  const size = Buffer.byteLength(Body.Text?.Data ?? '') + Buffer.byteLength(Body.Html?.Data ?? '');
  if (size > MAX_MESSAGE_BYTES) throw bad('Message length is more than the maximum.');
  for (const line of (Body.Text?.Data ?? '').split(/\r?\n/)) {
    if (Buffer.byteLength(line) > MAX_LINE_OCTETS)
      throw bad(`A line of the text is longer than ${MAX_LINE_OCTETS} octets (RFC 5322).`);
  }
  if (Headers.length > MAX_HEADERS)
    throw bad(`A message can have ${MAX_HEADERS} headers of its own at the most.`);
  for (const { Name, Value } of Headers) checkHeader(Name, Value);
}

function checkHeader(name: string, value: string): void {
  const lower = name.toLowerCase();
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name) || name.length > MAX_HEADER_NAME)
    throw bad(`Invalid header name "${name}".`);
  if (FORBIDDEN_HEADERS.has(lower) || lower.startsWith('content-'))
    throw bad(`The header ${name} can't be set.`);
  if (!/^[\x20-\x7e]*$/.test(value))
    throw bad(`The header ${name} has characters that are not printable ASCII.`);
  if (value.length > MAX_HEADER_VALUE)
    throw bad(`The header ${name} is longer than ${MAX_HEADER_VALUE} characters.`);
}

function bad(message: string): SesError {
  return new SesError(400, 'BadRequestException', message);
}
