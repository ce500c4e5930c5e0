/** The client against the local SES over real HTTP: one request a claim, the fence, and what every answer becomes. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SesLocal, startSesLocal } from '@sendonce/ses-local';
import { makeSendEmailInput, SesClient } from '@sendonce/shared/ses';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

let ses: SesLocal;
const env = { ...process.env };
beforeAll(async () => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_MAX_ATTEMPTS: '5',
  });
  ses = await startSesLocal({ signatureSeconds: 300 });
});
afterAll(async () => {
  process.env = env;
  await ses.stop();
});
afterEach(() => fetch(`${ses.url}/control/faults`, { method: 'DELETE' }));

const mail = makeSendEmailInput(
  {
    from: 'Dif <updates@dif.io>',
    to: 'jane@example.com',
    subject: 'Grüße',
    text: 'Hi',
    listId: '<news.dif.io>',
  },
  { run: 'news--20261124T100000Z', chunk: 0, position: 7 },
);

function setup(timeoutMs = 2_000, endpoint = ses.url) {
  return new SesClient({ region: 'us-east-1', endpoint, timeoutMs });
}

async function setFaults(...rules: object[]): Promise<void> {
  const body = JSON.stringify({ rules });
  const response = await fetch(`${ses.url}/control/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(response.status).toBe(200);
}

async function acceptedMails(): Promise<{ tags: Record<string, string>; headers: Record<string, string> }[]> {
  return (await (await fetch(`${ses.url}/messages?limit=1000`)).json()) as never;
}

describe('the SES client', () => {
  it('sends a mail with its id, tags and list headers', async () => {
    const before = (await acceptedMails()).length;
    const answer = await setup().send(mail, Date.now());
    expect(answer).toMatchObject({
      outcome: 'accepted',
      messageId: expect.stringMatching(/^[0-9a-f-]{50,}/),
    });
    const mails = await acceptedMails();
    expect(mails).toHaveLength(before + 1);
    expect(mails[0]).toMatchObject({
      tags: { sendonce_run: 'news--20261124T100000Z', sendonce_chunk: '0', sendonce_position: '7' },
    });
  });

  it('signs with the time of the claim: SES refuses a request whose claim is old', async () => {
    const before = (await acceptedMails()).length;
    const answer = await setup().send(mail, Date.now() - 301_000);
    expect(answer).toMatchObject({
      outcome: 'released',
      remedy: 'none',
      reason: expect.stringContaining('Signature expired'),
    });
    expect(await acceptedMails()).toHaveLength(before);
    expect(await setup().send(mail, Date.now() - 200_000)).toMatchObject({ outcome: 'accepted' });
  });

  it.each(['accept-then-reset', 'accept-then-500', 'accept-then-503', 'accept-then-hang'])(
    'does not know after %s, and has sent one request',
    async (fault) => {
      const before = (await acceptedMails()).length;
      await setFaults({ fault });
      expect(await setup(700).send(mail, Date.now())).toMatchObject({ outcome: 'unknown' });
      expect(await acceptedMails()).toHaveLength(before + 1);
    },
  );

  it.each([
    ['sending-paused', { outcome: 'released', remedy: 'pause' }],
    ['account-suspended', { outcome: 'released', remedy: 'pause' }],
    ['message-rejected', { outcome: 'rejected' }],
    ['bad-request', { outcome: 'rejected' }],
    ['quota-exhausted', { outcome: 'released', remedy: 'quota' }],
    ['refuse-then-reset', { outcome: 'unknown' }],
  ])('takes %s for what it is', async (fault, expected) => {
    const before = (await acceptedMails()).length;
    await setFaults({ fault });
    expect(await setup().send(mail, Date.now())).toMatchObject(expected);
    expect(await acceptedMails()).toHaveLength(before);
  });

  it('knows that a mail which found nobody was not sent', async () => {
    expect(await setup(500, 'http://127.0.0.1:1').send(mail, Date.now())).toMatchObject({
      outcome: 'released',
      remedy: 'wait',
    });
  });

  it('makes one request, whatever is answered and whatever AWS_MAX_ATTEMPTS says', async () => {
    for (const status of [500, 503, 429, 400]) {
      const { server, url, count } = await answering(status);
      await setup(500, url).send(mail, Date.now());
      expect(count(), `requests for ${status}`).toBe(1);
      server.close();
    }
  });

  it('is refused with wrong credentials, and pauses', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
    expect(await setup().send(mail, Date.now())).toMatchObject({ outcome: 'released', remedy: 'pause' });
    process.env.AWS_SECRET_ACCESS_KEY = 'local';
  });
});

async function answering(status: number): Promise<{ server: Server; url: string; count: () => number }> {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => requests };
}
