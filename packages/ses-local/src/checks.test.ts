import type { SendEmailCommandInput } from '@aws-sdk/client-sesv2';
import { expect, test } from 'vitest';
import { makeMail, setup } from './testing/setup.js';

const simple = makeMail().Content?.Simple;
const header = (Name: string, Value: string) => headers([{ Name, Value }]);
const headers = (Headers: { Name: string; Value: string }[]) => ({
  Content: { Simple: { ...simple, Headers } },
});
const to = (...ToAddresses: string[]) => ({ Destination: { ToAddresses } });
const text = (Data: string) => ({ Content: { Simple: { ...simple, Body: { Text: { Data } } } } });
const file = (change: object) => ({
  Content: {
    Simple: {
      ...simple,
      Attachments: [
        { FileName: 'a.pdf', RawContent: Buffer.from([200]), ContentTransferEncoding: 'BASE64', ...change },
      ],
    },
  },
});
const raw = (message: string) => ({ Content: { Raw: { Data: Buffer.from(message) } } });
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ Name: `X-${index}`, Value: 'x' }));

test.each<[string, object]>([
  ['no recipient', to()],
  ['51 recipients', to(...Array.from({ length: 51 }, (_, index) => `u${index}@example.com`))],
  ['an address without a domain', to('jane')],
  ['a domain with two dots', to('jane@example..com')],
  ['a domain with a blank', to('jane@exam ple.com')],
  ['a local part of 65 characters', to(`${'a'.repeat(65)}@example.com`)],
  ['a local part in other letters', to('jörg@example.com')],
  ['a name in other letters', { FromEmailAddress: 'Jörg <news@example.com>' }],
  ['no From', { FromEmailAddress: undefined }],
  ['a tag with a blank', { EmailTags: [{ Name: 'a', Value: 'b c' }] }],
  ['a tag of 257 characters', { EmailTags: [{ Name: 'a', Value: 'b'.repeat(257) }] }],
  ['a header that SES sets', header('Message-ID', '<a@b>')],
  ['a header with a colon', header('X:Y', 'a')],
  ['a header in other letters', header('X-Name', 'ö')],
  ['a header with a line break', header('X-Name', 'a\r\nBcc: b@example.com')],
  ['a header name of 127 characters', header('x'.repeat(127), 'a')],
  ['a header value of 996 characters', header('X', 'a'.repeat(996))],
  ['a header line of 997 characters', header('XX', 'a'.repeat(995))],
  ['16 headers', headers(many(16))],
  [
    'List-Unsubscribe twice',
    headers([1, 2].map((n) => ({ Name: 'List-Unsubscribe', Value: `<https://a/${n}>` }))),
  ],
  ['a line break in the subject', { Content: { Simple: { ...simple, Subject: { Data: 'a\nb' } } } }],
  ['a line of 999 octets', text(`a\n${'ü'.repeat(499)}x\nb`)],
  ['a line of 999 octets in a raw mail', raw(`From: a@example.com\r\n\r\n${'x'.repeat(999)}`)],
  ['neither text nor HTML', { Content: { Simple: { ...simple, Body: {} } } }],
  ['no content', { Content: {} }],
  ['a template', { Content: { Template: { TemplateName: 'a' } } }],
  ['an attachment of a refused type', file({ FileName: 'setup.EXE' })],
  ['an attachment without an extension', file({ FileName: 'terms' })],
  ['a content id of 79 characters', file({ ContentId: 'a'.repeat(79) })],
  ['other than 7-bit bytes without base64', file({ ContentTransferEncoding: undefined })],
  ['attachments over 40 MB', file({ RawContent: Buffer.alloc(31 * 1_024 * 1_024) })],
  [
    'over 40 MB',
    { Content: { Simple: { ...simple, Body: { Html: { Data: 'x'.repeat(41 * 1_024 * 1_024) } } } } },
  ],
])('%s is a bad request, and nothing is accepted', async (_, change) => {
  const { send, sesLocal } = await setup();
  await expect(send(change as Partial<SendEmailCommandInput>)).rejects.toMatchObject({
    name: 'BadRequestException',
    $metadata: { httpStatusCode: 400 },
  });
  expect(sesLocal.mails.report().messages).toBe(0);
});

test.each<[string, object]>([
  ['50 recipients', to(...Array.from({ length: 50 }, (_, index) => `u${index}@example.com`))],
  ['a name in quotes', to('"Doe, Jane" <jane@example.com>')],
  ['an encoded name', { FromEmailAddress: '=?UTF-8?Q?J=C3=B6rg?= <news@example.com>' }],
  ['a quoted local part', to('"jane doe"@example.com')],
  ['a header line of 996 characters', header('X', 'a'.repeat(995))],
  ['15 headers', headers(many(15))],
  ['a line of 998 octets', text('ü'.repeat(499))],
  ['more text than a line, of short lines', text('ü\n'.repeat(5_000))],
  ['an attachment of 20 MB', file({ RawContent: Buffer.alloc(20_000_000, 200) })],
  ['11 MB', { Content: { Simple: { ...simple, Body: { Html: { Data: 'x'.repeat(11 * 1_024 * 1_024) } } } } }],
])('%s: accepted', async (_, change) => {
  const { send } = await setup();
  expect((await send(change as Partial<SendEmailCommandInput>)).MessageId).toBeDefined();
});
