/** A mail that was asked for and passed the checks: what the two forms of a request (Simple, Raw) have in common. */
import { bareAddress } from './address.js';
import type { SendEmailRequest } from './checks.js';
import {
  decodeWords,
  type MessageHeaderField,
  parseHeaderFields,
  splitAddresses,
  valuesOf,
} from './rawMessage.js';

/** The header by which Sendonce and receivers know copies of one mail. */
const ID_HEADER = 'x-sendonce-id';

export interface Email {
  from: string;
  /** Everybody it goes to, without names. */
  recipients: string[];
  tags: Record<string, string>;
  configurationSet?: string;
  /** Same for every copy of one mail. */
  sendonceId?: string;
  request: SendEmailRequest;
}

export function emailOf(request: SendEmailRequest): Email {
  const { Raw, Simple } = request.Content;
  if (Raw) return emailOfRaw(request, rawText(Raw.Data));
  const id = Simple?.Headers.find(({ Name }) => Name.toLowerCase() === ID_HEADER)?.Value;
  return {
    from: request.FromEmailAddress ?? '',
    recipients: destinationOf(request).map(bareAddress),
    tags: tagsOf(request),
    ...(request.ConfigurationSetName !== undefined && { configurationSet: request.ConfigurationSetName }),
    ...(id !== undefined && { sendonceId: id }),
    request,
  };
}

/** A raw message may name its recipients, tags and configuration set in its own header.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-send-email.html */
function emailOfRaw(request: SendEmailRequest, message: string): Email {
  const fields = parseHeaderFields(message);
  const given = destinationOf(request);
  const named = ['to', 'cc', 'bcc'].flatMap((name) => valuesOf(fields, name).flatMap(splitAddresses));
  const set = request.ConfigurationSetName ?? valuesOf(fields, 'x-ses-configuration-set')[0];
  const id = valuesOf(fields, ID_HEADER)[0];
  return {
    from: request.FromEmailAddress ?? valuesOf(fields, 'from')[0] ?? '',
    recipients: (given.length > 0 ? given : named).map(bareAddress),
    tags: { ...tagsOfHeader(valuesOf(fields, 'x-ses-message-tags')), ...tagsOf(request) },
    ...(set !== undefined && { configurationSet: set }),
    ...(id !== undefined && { sendonceId: id }),
    request,
  };
}

/** The header as the recipient gets it and as events repeat it; of Simple, as far as the request determines it. */
export function headerFieldsOf({ request, from }: Email): MessageHeaderField[] {
  const { Raw, Simple } = request.Content;
  if (Raw) return parseHeaderFields(rawText(Raw.Data));
  const { CcAddresses, ToAddresses } = request.Destination;
  const list = (name: string, values: readonly string[]) =>
    values.length > 0 ? [{ name, value: values.join(', ') }] : [];
  return [
    { name: 'From', value: from },
    ...list('Reply-To', request.ReplyToAddresses),
    ...list('To', ToAddresses),
    ...list('Cc', CcAddresses),
    { name: 'Subject', value: Simple?.Subject.Data ?? '' },
    ...(Simple?.Headers ?? []).map(({ Name, Value }) => ({ name: Name, value: Value })),
    { name: 'MIME-Version', value: '1.0' },
  ];
}

export function subjectOf({ request }: Email): string {
  const { Raw, Simple } = request.Content;
  if (Simple) return Simple.Subject.Data;
  return decodeWords(valuesOf(parseHeaderFields(rawText(Raw?.Data ?? '')), 'subject')[0] ?? '(no subject)');
}

export function rawText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function destinationOf({ Destination }: SendEmailRequest): string[] {
  const { BccAddresses, CcAddresses, ToAddresses } = Destination;
  return CcAddresses.length + BccAddresses.length === 0
    ? ToAddresses
    : [...ToAddresses, ...CcAddresses, ...BccAddresses];
}

function tagsOf({ EmailTags }: SendEmailRequest): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const { Name, Value } of EmailTags) tags[Name] = Value;
  return tags;
}

/** `name=value, name=value` */
function tagsOfHeader(values: string[]): Record<string, string> {
  const pairs = values.flatMap((value) => value.split(',')).map((pair) => pair.trim().split('='));
  return Object.fromEntries(pairs.filter(([name]) => name).map(([name = '', value = '']) => [name, value]));
}
