/**
 * Events as they come on a bad day: in any order, each twice, some forged. The counts are exact. With EVENTS=5000 it tells how
 * many a second the public app takes in, each with its signature checked.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startSesLocal } from '@sendonce/ses-local';
import { loadCampaign, snapshotOf } from '@sendonce/shared/campaign';
import { encodeRecipients } from '@sendonce/shared/ledger';
import { makeCampaignDir, shuffled, waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { System } from './system.js';

const EVENTS = Number(process.env.EVENTS ?? 500);
const SENDERS = 16;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An SNS of our own: signs what it is told to publish, and hands it over. */
async function signAll(texts: string[]) {
  const sns = await startSesLocal();
  cleanups.push(() => sns.stop());
  const signed: string[] = [];
  const endpoint = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    response.end();
    const { Type, SubscribeURL } = JSON.parse(body) as Record<string, string>;
    if (Type === 'SubscriptionConfirmation') await fetch(SubscribeURL ?? '');
    else signed.push(body);
  }).listen(0, '127.0.0.1');
  cleanups.push(() => endpoint.close());
  await once(endpoint, 'listening');
  sns.topic.subscribe(`http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`, '2');
  await waitFor('the subscription', async () => sns.topic.subscriptions[0]?.isConfirmed);
  for (const text of texts) sns.topic.publish(() => text);
  await waitFor('the signatures', async () => signed.length === texts.length, 120_000);
  return { signed, certificateUrl: `${sns.url}/sns/certificate` };
}

it('events in any order, each twice, some forged, are counted exactly', async () => {
  const campaignsDir = makeCampaignDir({});
  const run = 'news--20261124T100000Z';
  const eventOf = (recipient: number): string => {
    const tags = {
      sendonce_run: [run],
      sendonce_chunk: [String(Math.floor(recipient / 500))],
      sendonce_position: [String(recipient % 500)],
    };
    const mail = { timestamp: new Date().toISOString(), messageId: `id-${recipient}`, tags };
    const bounce = { bounceType: 'Permanent', bounceSubType: 'General', bouncedRecipients: [] };
    return JSON.stringify(
      recipient % 50 === 0 ? { eventType: 'Bounce', mail, bounce } : { eventType: 'Delivery', mail },
    );
  };
  const { signed, certificateUrl } = await signAll(Array.from({ length: EVENTS }, (_, n) => eventOf(n)));
  const system = await System.start({ campaignsDir, env: { SNS_LOCAL_CERTIFICATE_URL: certificateUrl } });
  cleanups.push(() => system.stop());
  await system.runs.create(
    snapshotOf(await loadCampaign(campaignsDir, 'news')),
    new Date('2026-11-24T10:00:00Z'),
    'manual',
  );
  for (let chunk = 0; chunk * 500 < EVENTS; chunk++) {
    const recipients = Array.from({ length: 500 }, (_, n) => ({
      address: `c${chunk}-${n}@example.com`,
      fields: {},
    }));
    await system.ledger.createChunk(
      { run, chunk },
      encodeRecipients(recipients),
      recipients.map(() => 'sent'),
    );
  }
  await system.startDashboardPorts();

  const forged = signed
    .filter((_, n) => n % 20 === 0)
    .map((text) => text.replace('Delivery', 'Complaint').replace('Bounce', 'Complaint'));
  const posts = shuffled([...signed, ...signed, ...forged], 11);
  const statuses = new Map<number, number>();
  const startedAt = performance.now();
  const sender = async (): Promise<void> => {
    for (let body = posts.pop(); body; body = posts.pop()) {
      const { status } = await fetch(`${system.publicUrl}/hooks/ses`, { method: 'POST', body });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  const perSecond = (EVENTS * 2 + forged.length) / ((performance.now() - startedAt) / 1_000);
  if (process.env.EVENTS) process.stderr.write(`${Math.round(perSecond)} events a second\n`);

  expect(Object.fromEntries(statuses)).toEqual({ 200: EVENTS * 2, 403: forged.length });
  expect((await system.runs.get(run)).outcomes).toMatchObject({
    delivered: EVENTS * 0.98,
    bounced: EVENTS * 0.02,
    complained: 0,
  });
});
