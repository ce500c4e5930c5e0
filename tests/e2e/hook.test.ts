/** What the public hook believes: genuine messages of SNS, of both signature versions, and nothing else. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSesLocal } from '@sendonce/ses-local';
import { encodeRecipients } from '@sendonce/shared/ledger';
import { makeSendEmailInput, SesClient } from '@sendonce/shared/ses';
import { makeCampaignDir, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { System } from './system.js';

let system: System;
beforeAll(async () => {
  system = await System.start({ campaignsDir: makeCampaignDir({}) });
  await system.startDashboardPorts();
});
afterAll(() => system.stop());

const post = (body: string) =>
  fetch(`${system.publicUrl}/hooks/ses`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'text/plain' },
  });
/** A genuine notification of a mail to a recipient of ours, as SNS posts it to another endpoint of the same topic. */
async function genuine(
  sesUrl: string,
  signatureVersion: '1' | '2',
  { run, position }: { run: string; position: number },
) {
  const notifications: string[] = [];
  const endpoint = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    response.end();
    const { Type, SubscribeURL, Message } = JSON.parse(body) as Record<string, string>;
    if (Type === 'SubscriptionConfirmation') await fetch(SubscribeURL ?? '');
    if (Type === 'Notification' && Message?.includes(run)) notifications.push(body);
  }).listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`;
  const subscriptions = `${sesUrl}/control/subscriptions`;
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ endpoint: url, signatureVersion });
  await fetch(subscriptions, { method: 'POST', headers, body });
  await waitFor('the confirmation', async () => {
    const all = (await (await fetch(subscriptions)).json()) as { endpoint: string; isConfirmed: boolean }[];
    return all.find((one) => one.endpoint === url)?.isConfirmed;
  });
  await sendMail(sesUrl, { run, position });
  const [message = ''] = await waitFor(
    'the notification',
    async () => notifications.length > 0 && notifications,
  );
  await fetch(`${subscriptions}?endpoint=${encodeURIComponent(url)}`, { method: 'DELETE' });
  endpoint.close();
  return JSON.parse(message) as Record<string, string>;
}

async function sendMail(sesUrl: string, { run, position }: { run: string; position: number }) {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' });
  const ses = new SesClient({ region: 'us-east-1', endpoint: sesUrl, timeoutMs: 2_000 });
  const mail = makeSendEmailInput(
    {
      from: 'updates@dif.io',
      to: `reader${position}@example.com`,
      subject: 'News',
      text: 'Hi',
      configurationSet: 'sendonce',
      listId: '<news.dif.io>',
    },
    { run, chunk: 0, position },
  );
  expect(await ses.send(mail, Date.now())).toMatchObject({ outcome: 'accepted' });
  ses.close();
}

/** A run of three who are all in doubt, and a genuine event of one of them that the hook has not had. */
async function setupDoubts(signatureVersion: '1' | '2' = '2', sesUrl = system.sesUrl) {
  const run = `doubt--${new Date(Date.now() - Math.round(Math.random() * 1e9)).toISOString().replace(/[-:]|\.\d+/g, '')}`;
  const ref = { run, chunk: 0 };
  const recipients = [0, 1, 2].map((n) => ({ address: `reader${n}@example.com`, fields: {} }));
  await setSubscription('DELETE');
  const message = await genuine(sesUrl, signatureVersion, { run, position: 1 });
  await setSubscription('POST');
  await system.ledger.createChunk(ref, encodeRecipients(recipients), ['in_doubt', 'in_doubt', 'in_doubt']);
  return { message, states: () => system.ledger.states(ref) };
}

async function setSubscription(method: 'POST' | 'DELETE') {
  const endpoint = `${system.publicUrl}/hooks/ses`;
  const query = method === 'DELETE' ? `?endpoint=${encodeURIComponent(endpoint)}` : '';
  await fetch(`${system.sesUrl}/control/subscriptions${query}`, {
    method,
    ...(method === 'POST' && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ endpoint, signatureVersion: '2' }),
    }),
  });
}

const nobody = ['in_doubt', 'in_doubt', 'in_doubt'];

it.each(['1', '2'] as const)(
  'believes a signature of version %s, and the same event again changes nothing',
  async (version) => {
    const { message, states } = await setupDoubts(version);
    expect(message.SignatureVersion).toBe(version);
    expect((await post(JSON.stringify(message))).status).toBe(200);
    expect(await states()).toEqual(['in_doubt', 'sent', 'in_doubt']);
    expect((await post(JSON.stringify(message))).status).toBe(200);
    expect(await states()).toEqual(['in_doubt', 'sent', 'in_doubt']);
  },
);

it.each([
  ['another content under the signature', { Message: '{"eventType":"Send"}' }],
  ['another signature', { Signature: Buffer.from('no signature').toString('base64') }],
  ['a foreign topic', { TopicArn: 'arn:aws:sns:us-east-1:111111111111:x' }],
  ['an old replay', { Timestamp: '2026-01-01T00:00:00.000Z' }],
  ['a message of the future', { Timestamp: '2099-01-01T00:00:00.000Z' }],
  [
    'a foreign certificate host',
    { SigningCertURL: 'https://sns.us-east-1.amazonaws.com.evil.example/a.pem' },
  ],
  ['a certificate by http', { SigningCertURL: 'http://sns.us-east-1.amazonaws.com/a.pem' }],
  ['an unknown signature version', { SignatureVersion: '3' }],
  ['no signature', { Signature: '' }],
])('refuses %s with 403, and changes nothing', async (_, change) => {
  const { message, states } = await setupDoubts();
  expect((await post(JSON.stringify({ ...message, ...change }))).status).toBe(403);
  expect(await states()).toEqual(nobody);
});

it('refuses what somebody else has signed in the name of our topic', async () => {
  const foreign = await startSesLocal();
  const { message, states } = await setupDoubts('2', foreign.url);
  // Under the certificate that the foreigner names, it could not even be fetched; under ours the signature is wrong.
  const { url } = (await (await fetch(`${system.sesUrl}/sns/certificate`)).json()) as { url: string };
  expect((await post(JSON.stringify({ ...message, SigningCertURL: url }))).status).toBe(403);
  expect(await states()).toEqual(nobody);
  await foreign.stop();
});

it('refuses nonsense with 403', async () => {
  expect((await post('nonsense')).status).toBe(403);
});

it('refuses a body that is too large', async () => {
  expect((await post('x'.repeat(500_000))).status).toBe(413);
});
