/**
 * Amazon SNS, as far as events go: a process of its own that signs SES's events before it is measured, and then posts them
 * over a few connections, one after the other on each, as SNS does. It costs little, so that the receiver is what is measured.
 *
 * Over IPC: `{ run, events }` → `{ certificateUrl }`; `{ url }` → `SendingReport`.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { DEFAULT_TOPIC_ARN, SnsSigner } from '@sendonce/ses-local';

export interface EventsOrder {
  run: string;
  events: number;
}

export interface SendingReport {
  seconds: number;
  /** Answers that were not 200. */
  refused: number;
}

const CONNECTIONS = 32;
const SIGNED_AT_ONCE = 500;
/** Of Amazon's own keys. */
const KEY_BITS = 2_048;

const signer = await SnsSigner.make('us-east-1', KEY_BITS);
const certificates = createServer((_, response) => response.end(JSON.stringify(signer.certificate))).listen(
  0,
  '127.0.0.1',
);
await once(certificates, 'listening');
const certificateUrl = `http://127.0.0.1:${(certificates.address() as AddressInfo).port}/`;
let bodies: Buffer[] = [];

process.on('disconnect', () => process.exit(0));
process.on('message', async (message: EventsOrder | { url: string }) => {
  if ('url' in message) return void process.send?.(await post(new URL(message.url)));
  bodies = [];
  const { run, events } = message;
  for (let first = 0; first < events; first += SIGNED_AT_ONCE) {
    const length = Math.min(SIGNED_AT_ONCE, events - first);
    bodies.push(...(await Promise.all(Array.from({ length }, (_, n) => sign(run, first + n)))));
  }
  process.send?.({ certificateUrl });
});
process.send?.('ready');

async function sign(run: string, recipient: number): Promise<Buffer> {
  const fields = { TopicArn: DEFAULT_TOPIC_ARN, Message: JSON.stringify(delivery(run, recipient)) };
  return Buffer.from(JSON.stringify(await signer.sign('Notification', fields, '2')));
}

/** With all that SES puts into one. https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html */
function delivery(run: string, recipient: number): object {
  const at = new Date().toISOString();
  const to = `reader${recipient}@example.com`;
  const tags = {
    'ses:source-tls-version': ['TLSv1.3'],
    'ses:operation': ['SendEmail'],
    'ses:configuration-set': ['sendonce'],
    'ses:source-ip': ['192.0.2.7'],
    'ses:from-domain': ['dif.io'],
    'ses:caller-identity': ['sendonce'],
    'ses:outgoing-ip': ['192.0.2.99'],
    sendonce_run: [run],
    sendonce_chunk: [String(Math.floor(recipient / 500))],
    sendonce_position: [String(recipient % 500)],
  };
  const headers = {
    From: 'Dif <updates@dif.io>',
    To: to,
    Subject: `News for Reader ${recipient}`,
    'MIME-Version': '1.0',
    'Content-Type': 'text/plain; charset=UTF-8',
    'List-Id': 'news <news.dif.io>',
    'X-Sendonce-Id': `${run}/${Math.floor(recipient / 500)}/${recipient % 500}`,
  };
  return {
    eventType: 'Delivery',
    mail: {
      timestamp: at,
      source: 'Dif <updates@dif.io>',
      sourceArn: 'arn:aws:ses:us-east-1:000000000000:identity/dif.io',
      sendingAccountId: '000000000000',
      messageId: `010001${recipient.toString(16).padStart(10, '0')}-00000000-0000-0000-0000-000000000000-000000`,
      destination: [to],
      headersTruncated: false,
      headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
      commonHeaders: { from: ['Dif <updates@dif.io>'], to: [to], subject: `News for Reader ${recipient}` },
      tags,
    },
    delivery: {
      timestamp: at,
      processingTimeMillis: 812,
      recipients: [to],
      smtpResponse: '250 2.0.0 OK',
      reportingMTA: 'a8-60.smtp-out.amazonses.com',
    },
  };
}

async function post(url: URL): Promise<SendingReport> {
  const beganAt = performance.now();
  let next = 0;
  let refused = 0;
  const sender = async (): Promise<void> => {
    const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    await once(socket, 'connect');
    for (let body = bodies[next++]; body; body = bodies[next++]) {
      socket.cork();
      socket.write(
        `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-type: text/plain; charset=UTF-8\r\ncontent-length: ${body.length}\r\n\r\n`,
      );
      socket.write(body);
      socket.uncork();
      // The answer is small: it comes in one piece.
      const [answer] = (await once(socket, 'data')) as [Buffer];
      if (!answer.toString('latin1', 0, 16).includes(' 200 ')) refused += 1;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sender));
  return { seconds: (performance.now() - beganAt) / 1_000, refused };
}
