import { GetAccountCommand, ListEmailIdentitiesCommand } from '@aws-sdk/client-sesv2';
import { describe, expect, test } from 'vitest';
import { makeMail, setup } from './testing/setup.js';

describe('SendEmail', () => {
  test('an accepted mail is in the inbox with its tags and headers', async () => {
    const { send, control } = await setup();
    const { MessageId = '' } = await send();
    expect(MessageId).toMatch(
      /^0100[0-9a-f]{12}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-000000$/,
    );
    const { body } = await control('GET', '/messages?to=USER0@');
    expect(body).toMatchObject([
      {
        messageId: MessageId,
        to: ['user0@example.com'],
        subject: 'Good morning',
        tags: { sendonce_run: 'daily--1', sendonce_chunk: '0', sendonce_position: '0' },
        headers: { 'X-Sendonce-Id': 'daily--1/0/0' },
      },
    ]);
  });

  test('a raw mail keeps its recipients, tags and headers', async () => {
    const { send, control } = await setup();
    const message = [
      'From: News <news@example.com>',
      'To: "Doe, Jane" <jane@example.com>,',
      ' john@example.com',
      'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=',
      'X-SES-MESSAGE-TAGS: sendonce_run=raw-run, sendonce_chunk=0',
      'X-Sendonce-Id: raw-run/0/1',
      '',
      'Hello',
    ].join('\r\n');
    await send({
      FromEmailAddress: undefined,
      Destination: undefined,
      Content: { Raw: { Data: Buffer.from(message) } },
      EmailTags: [{ Name: 'sendonce_position', Value: '1' }],
    });
    const { body } = await control('GET', '/messages?tag=sendonce_run:raw-run');
    expect(body).toMatchObject([
      {
        to: ['jane@example.com', 'john@example.com'],
        subject: 'Grüße',
        tags: { sendonce_run: 'raw-run', sendonce_chunk: '0', sendonce_position: '1' },
        headers: { 'X-Sendonce-Id': 'raw-run/0/1' },
      },
    ]);
  });

  test('the source of a mail is a message by RFC 5322', async () => {
    const { send, control } = await setup();
    const { MessageId } = await send();
    const { source } = (await control('GET', `/messages/${MessageId}`)).body;
    const [head, text] = source.replace(/\r\n(?=[ \t])/g, '').split('\r\n\r\n');
    expect(head).toContain(`Message-ID: <${MessageId}@email.amazonses.com>`);
    expect(head).toContain('X-Sendonce-Id: daily--1/0/0');
    expect(text).toContain('Gr=C3=BC=C3=9Fe!');
  });

  test('attachments are taken', async () => {
    const { send, control } = await setup();
    const { Simple } = makeMail().Content ?? {};
    const Attachments = [{ FileName: 'a.txt', RawContent: Buffer.from('hi') }];
    const { MessageId } = await send({ Content: { Simple: { ...Simple, Attachments } as never } });
    expect((await control('GET', `/messages/${MessageId}`)).body.source).toContain('filename=a.txt');
  });

  test('a configuration set that is not there is refused', async () => {
    const { send } = await setup({ configurationSets: ['one'] });
    await send({ ConfigurationSetName: 'one' });
    await expect(send({ ConfigurationSetName: 'other' })).rejects.toMatchObject({
      name: 'NotFoundException',
      message: 'Configuration set <other> does not exist.',
    });
  });

  test('answers carry a Date and a request id', async () => {
    const { send, client, sesLocal } = await setup();
    const { $metadata } = await send();
    expect($metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
    const { headers } = await fetch(`${sesLocal.url}/v2/email/account`);
    expect(Math.abs(Date.parse(headers.get('date') as string) - Date.now())).toBeLessThan(2_000);
    expect((await client.send(new GetAccountCommand({}))).$metadata.requestId).toBeDefined();
  });
});

test('a call that is not simulated is an error that says so', async () => {
  const { client } = await setup();
  await expect(client.send(new ListEmailIdentitiesCommand({}))).rejects.toMatchObject({
    name: 'UnknownOperationException',
    message: expect.stringContaining('is not part of this simulator'),
  });
});

describe('the account', () => {
  test('GetAccount tells quota, rate and flags, and what was sent', async () => {
    const { client, send } = await setup({ account: { maxSendRate: 14, max24HourSend: 50_000 } });
    await send();
    expect(await client.send(new GetAccountCommand({}))).toMatchObject({
      EnforcementStatus: 'HEALTHY',
      ProductionAccessEnabled: true,
      SendingEnabled: true,
      SendQuota: { Max24HourSend: 50_000, MaxSendRate: 14, SentLast24Hours: 1 },
    });
  });

  test.each([
    [{ sendingEnabled: false }, 'SendingPausedException'],
    [{ enforcementStatus: 'SHUTDOWN' }, 'AccountSuspendedException'],
    [{ max24HourSend: 0 }, 'TooManyRequestsException'],
    [{ max24HourSend: -1 }, undefined],
  ])('changed at run time to %j, it answers %s', async (change, name) => {
    const { send, control, sesLocal } = await setup();
    expect((await control('PUT', '/control/account', change)).status).toBe(200);
    if (name) await expect(send()).rejects.toMatchObject({ name });
    else await send();
    expect(sesLocal.mails.report().messages).toBe(name ? 0 : 1);
  });

  test('a quota is used up by recipients, and says so in words', async () => {
    const { send } = await setup({ account: { max24HourSend: 3 } });
    const two = { Destination: { ToAddresses: ['a@example.com', 'b@example.com'] } };
    await send(two);
    await expect(send(two)).rejects.toThrow('Daily message quota exceeded');
    await send();
  });

  test('an enforced rate throttles what is over it', async () => {
    const { send } = await setup({ account: { maxSendRate: 2, enforcesRate: true } });
    const results = await Promise.allSettled([send(), send(), send(), send()]);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(2);
  });

  test('a change that makes no sense is refused with its field', async () => {
    const { control } = await setup();
    const { status, body } = await control('PUT', '/control/account', { maxSendRate: -1 });
    expect(status).toBe(400);
    expect(body.message).toContain('maxSendRate');
  });
});
