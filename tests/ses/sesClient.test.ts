/**
 * The contract of sending, for each implementation, against the local SES and against servers that break, over real HTTP:
 * one request a claim, the fence, and what every answer becomes.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
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

/** Bytes of all kinds, and more than goes into a socket at once. */
const picture = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7 + index / 256) % 256));
const attachments = [
  { FileName: 'terms.txt', ContentType: 'text/plain; charset=utf-8', RawContent: Buffer.from('Grüße') },
  { FileName: 'logo.png', ContentType: 'image/png', ContentId: 'logo', RawContent: picture },
].map((attachment) => ({ ...attachment, ContentTransferEncoding: 'BASE64' as const }));

/** Of one run: all have the same list. */
const withAttachments = (position: number) =>
  makeSendEmailInput(
    {
      from: 'Dif <updates@dif.io>',
      to: 'jane@example.com',
      subject: `“Mail” ${position}`,
      text: 'Hi',
      listId: '<news.dif.io>',
      attachments,
    },
    { run: 'files--20261124T100000Z', chunk: 0, position },
  );

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

describe.each(['light', 'sdk'] as const)('the %s client', (sender) => {
  const clients: SesClient[] = [];
  const setup = (timeoutMs = 2_000, endpoint = ses.url): SesClient => {
    const client = new SesClient({ region: 'us-east-1', endpoint, timeoutMs, sender });
    clients.push(client);
    return client;
  };
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });

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

  it('sends attachments, to the byte and with every mail', async () => {
    const client = setup();
    // The local SES checks each signature, so the hash of each body.
    const answers = await Promise.all([1, 2, 3].map((n) => client.send(withAttachments(n), Date.now())));
    expect(answers.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
    for (const [index, answer] of answers.entries()) {
      const mail = ses.mails.get((answer as { messageId: string }).messageId)?.email?.request.Content.Simple;
      expect(mail?.Subject.Data).toBe(`“Mail” ${index + 1}`);
      const contents = mail?.Attachments.map(({ RawContent }) => Buffer.from(RawContent, 'base64'));
      expect(contents?.[0]?.toString()).toBe('Grüße');
      expect(contents?.[1]?.equals(picture)).toBe(true);
    }
  });

  it('sends more attachments at once than it holds', async () => {
    const client = setup(10_000);
    const files = [{ ...attachments[1], FileName: 'large.png', RawContent: Buffer.alloc(5_000_000, 200) }];
    const answers = [1, 2, 3, 4, 5, 6].map((position) => {
      const mail = withAttachments(position);
      Object.assign(mail.Content?.Simple ?? {}, { Attachments: files });
      return client.send(mail, Date.now());
    });
    for (const answer of answers) expect((await answer).outcome).toBe('accepted');
  });

  it('does not know after a server that takes half of the attachments and is silent', async () => {
    const server = createTcpServer((socket) => socket.once('data', () => socket.pause())).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const large = [{ ...attachments[1], FileName: 'large.png', RawContent: Buffer.alloc(12_000_000) }];
    const mail = withAttachments(0);
    Object.assign(mail.Content?.Simple ?? {}, { Attachments: large });
    const answer = await setup(500, `http://127.0.0.1:${port}`).send(mail, Date.now());
    expect(answer).toMatchObject({ outcome: 'unknown' });
    server.close();
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

  it('signs the token of a session', async () => {
    process.env.AWS_SESSION_TOKEN = 'a+token/of=a+session';
    try {
      const { url, requests } = await accepting();
      expect(await setup(2_000, url).send(mail, Date.now())).toMatchObject({ outcome: 'accepted' });
      expect(requests[0]).toContain('x-amz-security-token: a+token/of=a+session');
      expect(requests[0]).toMatch(/SignedHeaders=[^,]*x-amz-security-token/);
      // The local SES checks the signature over all that was signed.
      expect(await setup().send(mail, Date.now())).toMatchObject({ outcome: 'accepted' });
    } finally {
      delete process.env.AWS_SESSION_TOKEN;
    }
  });

  it('has no credentials, and pauses until it has', async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, ...without } = process.env;
    process.env = { ...without, AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent' };
    const client = setup();
    expect(await client.send(mail, Date.now())).toMatchObject({ outcome: 'released', remedy: 'pause' });
    process.env = { ...without, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
    expect(await client.send(mail, Date.now())).toMatchObject({ outcome: 'accepted' });
  });

  it.each([
    ['before an answer', ''],
    ['in the head of an answer', 'HTTP/1.1 200 OK\r\ncontent-'],
    ['in the middle of an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"Message'],
  ])('does not know when the connection ends %s, and has sent one request', async (_, part) => {
    for (const end of ['destroy', 'resetAndDestroy'] as const) {
      const { url, requests } = await breaking((socket) => {
        if (part) socket.write(part);
        setTimeout(() => socket[end](), 20);
      });
      expect(await setup(2_000, url).send(mail, Date.now())).toMatchObject({ outcome: 'unknown' });
      expect(requests).toHaveLength(1);
    }
  });

  it.each([
    ['no JSON', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nSent'],
    ['no message id', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'],
    ['no HTTP', 'SSH-2.0\r\n\r\n'],
  ])('does not know after an answer that is %s', async (_, answer) => {
    const { url, requests } = await breaking((socket) => void socket.end(answer));
    expect(await setup(2_000, url).send(mail, Date.now())).toMatchObject({ outcome: 'unknown' });
    expect(requests).toHaveLength(1);
  });

  it('sends nothing twice over connections that the server closes between and during requests', async () => {
    // Closes the connection as the next request comes, as a server does whose patience ends at that moment.
    const { url, requests } = await breaking((socket, nth) => {
      if (nth === 1) socket.write(ACCEPTED);
      else socket.destroy();
    });
    const client = setup(2_000, url);
    const answers: string[] = [];
    for (let claim = 0; claim < 20; claim++) answers.push((await client.send(mail, Date.now())).outcome);
    expect(requests).toHaveLength(20);
    expect(answers).toContain('accepted');
    expect(answers).toContain('unknown');
  });

  it('goes through the proxy that is set, and past it where NO_PROXY says so', async () => {
    const proxy = await tunnelling();
    process.env.HTTP_PROXY = proxy.url;
    try {
      expect(await setup().send(mail, Date.now())).toMatchObject({ outcome: 'accepted' });
      expect(proxy.tunnels).toEqual([new URL(ses.url).host]);
      process.env.NO_PROXY = '127.0.0.1';
      expect(await setup().send(mail, Date.now())).toMatchObject({ outcome: 'accepted' });
      expect(proxy.tunnels).toHaveLength(1);
    } finally {
      delete process.env.HTTP_PROXY;
      delete process.env.NO_PROXY;
    }
  });

  it.each([['that refuses', 407] as const, ['that is not there', undefined] as const])(
    'knows that nothing was sent through a proxy %s',
    async (_, status) => {
      process.env.HTTP_PROXY = status ? (await tunnelling(status)).url : 'http://127.0.0.1:1';
      const before = (await acceptedMails()).length;
      try {
        expect(await setup().send(mail, Date.now())).toMatchObject({ outcome: 'released', remedy: 'wait' });
        expect(await acceptedMails()).toHaveLength(before);
      } finally {
        delete process.env.HTTP_PROXY;
      }
    },
  );

  it('sends to an endpoint below a path', async () => {
    const { url, requests } = await accepting();
    await setup(2_000, `${url}/a base`).send(mail, Date.now());
    expect(requests[0]).toMatch(/^POST \/a%20base\/v2\/email\/outbound-emails HTTP/);
  });

  it("sends to Amazon's endpoint of the region when none is set", async () => {
    const proxy = await tunnelling(503);
    process.env.HTTPS_PROXY = proxy.url;
    try {
      const client = new SesClient({ region: 'eu-central-1', timeoutMs: 2_000, sender });
      await client.send(mail, Date.now());
      expect(proxy.tunnels).toEqual(['email.eu-central-1.amazonaws.com:443']);
    } finally {
      delete process.env.HTTPS_PROXY;
    }
  });
});

it.each([
  ['mail', mail],
  ['mail with attachments', withAttachments(1)],
])('both clients send the same %s', async (_, mail) => {
  const bodies: unknown[] = [];
  for (const sender of ['light', 'sdk'] as const) {
    const { url, requests } = await accepting();
    const client = new SesClient({ region: 'us-east-1', endpoint: url, timeoutMs: 2_000, sender });
    await client.send(
      { ...mail, ReplyToAddresses: ['a@example.com'], ConfigurationSetName: 'x' },
      Date.now(),
    );
    bodies.push(JSON.parse(requests[0]?.split('\r\n\r\n')[1] ?? ''));
    client.close();
  }
  expect(bodies[0]).toEqual(bodies[1]);
});

const ACCEPTED = 'HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{"MessageId":"id"}';

const servers: (() => void)[] = [];
afterEach(() => {
  for (const stop of servers.splice(0)) stop();
});

/** A server that does what it is told with each request, `nth` of its connection. */
async function breaking(answer: (socket: Socket, nth: number) => void) {
  const requests: string[] = [];
  const server = createTcpServer((socket) => {
    let text = '';
    let nth = 0;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      text += data;
      const [, length = '0'] = /content-length: (\d+)/i.exec(text) ?? [];
      const body = text.indexOf('\r\n\r\n') + 4;
      if (body < 4 || Buffer.byteLength(text.slice(body)) < Number(length)) return;
      requests.push(text);
      text = '';
      nth += 1;
      answer(socket, nth);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const accepting = () => breaking((socket) => void socket.write(ACCEPTED));

/** A proxy that opens tunnels, or answers so. */
async function tunnelling(status = 200) {
  const tunnels: string[] = [];
  const server = createServer();
  server.on('connect', ({ url = '' }, socket: Socket) => {
    tunnels.push(url);
    if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const { hostname, port } = new URL(`http://${url}`);
    const onward = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    for (const side of [onward, socket]) side.on('error', () => undefined);
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tunnels };
}

async function answering(status: number): Promise<{ server: Server; url: string; count: () => number }> {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => requests };
}
