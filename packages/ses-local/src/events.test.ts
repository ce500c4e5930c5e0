import SnsPayloadValidator from 'sns-payload-validator';
import { expect, test, vi } from 'vitest';
import type { FaultPlan } from './faults.js';
import { makeMail, type ReceivedNotification, setup, startEndpoint } from './testing/setup.js';

const set = { ConfigurationSetName: 'sendonce' };

/** A simulator whose topic an endpoint has subscribed to, and confirmed. */
async function setupEvents(
  { signatureVersion = '2', faults = [] }: { signatureVersion?: string; faults?: FaultPlan['rules'] } = {},
  answer?: (received: ReceivedNotification) => number,
) {
  const bundle = await setup();
  const endpoint = await startEndpoint(answer);
  await bundle.control('POST', '/control/subscriptions', { endpoint: endpoint.url, signatureVersion });
  await vi.waitFor(() => expect(bundle.sesLocal.topic.subscriptions[0]?.isConfirmed).toBe(true), 10_000);
  bundle.sesLocal.faults.set({ rules: faults });
  const types = () => endpoint.events().map(({ eventType }) => eventType);
  const event = (type: string) => endpoint.events().find(({ eventType }) => eventType === type);
  // In any order: SNS promises none, and several are on their way at once.
  const untilTypes = (...expected: string[]) =>
    vi.waitFor(() => expect(types().sort()).toEqual(expected.sort()), 10_000);
  return { ...bundle, endpoint, event, untilTypes };
}

test.each(['1', '2'])(
  'messages by signature version %s pass an independent validator',
  async (signatureVersion) => {
    const { sesLocal, send, control, endpoint, untilTypes } = await setupEvents({ signatureVersion });
    await send(set);
    await untilTypes('Send', 'Delivery');
    const validator = new SnsPayloadValidator();
    const { url, pem } = (await control('GET', '/sns/certificate')).body;
    expect(await (await fetch(`${sesLocal.url}/sns/certificate.pem`)).text()).toBe(pem);
    (validator as unknown as { certCache: Map<string, string> }).certCache.set(url, pem);
    expect(endpoint.received.map(({ message }) => message.Type)).toContain('SubscriptionConfirmation');
    for (const { message, headers } of endpoint.received) {
      expect(message.SignatureVersion).toBe(signatureVersion);
      await expect(validator.validate(message as never)).resolves.toBeDefined();
      await expect(validator.validate({ ...message, Message: 'forged' } as never)).rejects.toThrow(
        'Invalid Signature',
      );
      expect(headers).toMatchObject({
        'content-type': 'text/plain; charset=UTF-8',
        'x-amz-sns-message-type': message.Type,
        'x-amz-sns-message-id': message.MessageId,
        'x-amz-sns-topic-arn': 'arn:aws:sns:us-east-1:000000000000:sendonce-events',
      });
    }
  },
);

test('an event repeats the mail with its tags and headers', async () => {
  const { send, event, untilTypes } = await setupEvents();
  const { MessageId } = await send(set);
  await untilTypes('Send', 'Delivery');
  expect(event('Send')).toMatchObject({
    eventType: 'Send',
    send: {},
    mail: {
      timestamp: expect.stringMatching(/Z$/),
      messageId: MessageId,
      source: 'News <news@example.com>',
      destination: ['user0@example.com'],
      headersTruncated: false,
      headers: expect.arrayContaining([
        { name: 'X-Sendonce-Id', value: 'daily--1/0/0' },
        { name: 'To', value: 'user0@example.com' },
      ]),
      commonHeaders: { subject: 'Good morning', to: ['user0@example.com'], messageId: MessageId },
      tags: {
        sendonce_run: ['daily--1'],
        sendonce_position: ['0'],
        'ses:configuration-set': ['sendonce'],
        'ses:from-domain': ['example.com'],
      },
    },
  });
  expect(event('Delivery').delivery).toMatchObject({ recipients: ['user0@example.com'] });
});

test('a mail without a configuration set makes no events', async () => {
  const { send, untilTypes } = await setupEvents();
  await send();
  await send(set);
  await untilTypes('Send', 'Delivery');
});

test.each([
  ['success', ['Send', 'Delivery'], undefined],
  ['ooto', ['Send', 'Delivery'], undefined],
  ['bounce', ['Send', 'Bounce'], { bounceType: 'Permanent', bounceSubType: 'General' }],
  ['suppressionlist', ['Send', 'Bounce'], { bounceType: 'Permanent', bounceSubType: 'Suppressed' }],
  ['complaint', ['Send', 'Delivery', 'Complaint'], undefined],
])('%s@simulator.amazonses.com makes %j', async (mailbox, expected, bounce) => {
  const { send, event, untilTypes } = await setupEvents();
  await send({ ...set, Destination: { ToAddresses: [`${mailbox}@simulator.amazonses.com`] } });
  await untilTypes(...expected);
  if (bounce) expect(event('Bounce').bounce).toMatchObject(bounce);
});

test.each<[FaultPlan['rules'][number], string[]]>([
  [{ fault: 'bounce' }, ['Send', 'Bounce']],
  [{ fault: 'soft-bounce' }, ['Send', 'Bounce']],
  [{ fault: 'complaint' }, ['Send', 'Delivery', 'Complaint']],
  [{ fault: 'delivery-delay' }, ['Send', 'DeliveryDelay', 'Delivery']],
  [{ fault: 'reject' }, ['Send', 'Reject']],
  [{ fault: 'events-lost', count: 1 }, ['Delivery']],
  [{ fault: 'events-doubled', count: 1 }, ['Send', 'Send', 'Delivery']],
])('with %j come %j', async (rule, expected) => {
  const { send, endpoint, untilTypes } = await setupEvents({ faults: [rule] });
  await send(set);
  await untilTypes(...expected);
  if (rule.fault !== 'events-doubled') return;
  const ids = endpoint.received.slice(-3).map(({ message }) => message.MessageId);
  expect(new Set(ids).size).toBe(2);
});

test('an outcome can be asked for by recipient', async () => {
  const { send, untilTypes } = await setupEvents({ faults: [{ fault: 'bounce', recipients: ['user2@*'] }] });
  await send({ ...makeMail(1), ...set });
  await untilTypes('Send', 'Delivery');
  await send({ ...makeMail(2), ...set });
  await untilTypes('Send', 'Delivery', 'Send', 'Bounce');
});

test('a failing endpoint gets its notifications when it works again, under the same MessageId', async () => {
  const tries: string[] = [];
  const { send, endpoint, untilTypes } = await setupEvents({}, ({ message }) => {
    if (message.Type === 'Notification') tries.push(message.MessageId as string);
    return message.Type === 'Notification' && tries.length <= 3 ? 503 : 200;
  });
  await send(set);
  await untilTypes('Send', 'Delivery');
  expect(tries).toContain(endpoint.received.at(-1)?.message.MessageId);
  expect(new Set(tries).size).toBe(2);
  expect(tries.length).toBeGreaterThanOrEqual(5);
});

test('what an endpoint refuses is dropped and counted, and the rest goes on', async () => {
  let refused = 0;
  const { send, sesLocal, untilTypes } = await setupEvents({}, ({ message }) =>
    message.Type === 'Notification' && refused++ === 0 ? 403 : 200,
  );
  await send(set);
  await untilTypes('Delivery');
  expect(sesLocal.topic.subscriptions).toMatchObject([{ dropped: 1, waiting: 0 }]);
});

test('an endpoint that comes up later is asked again to confirm', async () => {
  let asked = 0;
  const { sesLocal } = await setupEvents({}, ({ message }) =>
    message.Type === 'SubscriptionConfirmation' && ++asked < 3 ? 503 : 200,
  );
  expect(asked).toBe(3);
  expect(sesLocal.topic.subscriptions).toMatchObject([{ isConfirmed: true }]);
});

test('nothing goes to an endpoint that has not confirmed', async () => {
  const { send, sesLocal } = await setup();
  const endpoint = await startEndpoint(() => 500);
  sesLocal.topic.subscribe(endpoint.url, '2');
  await send(set);
  expect(sesLocal.topic.subscriptions).toMatchObject([{ isConfirmed: false, waiting: 0 }]);
});

test.each([{}, { endpoint: 'ftp://x' }, { endpoint: 'http://127.0.0.1:1/', signatureVersion: '3' }])(
  'a subscription of %j is refused',
  async (body) => {
    const { control } = await setup();
    expect((await control('POST', '/control/subscriptions', body)).status).toBe(400);
  },
);

test('a token that nobody was given confirms nothing', async () => {
  const { sesLocal } = await setup();
  expect((await fetch(`${sesLocal.url}/sns/confirm?Token=x`)).status).toBe(404);
});
