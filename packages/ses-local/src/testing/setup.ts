/** What the tests of this package share: a simulator, a real SDK client to it, and an endpoint for notifications. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SESv2Client, SendEmailCommand, type SendEmailCommandInput } from '@aws-sdk/client-sesv2';
import { onTestFinished } from 'vitest';
import { type SesLocal, type SesLocalConfig, startSesLocal } from '../index.js';

export async function setup(config: SesLocalConfig = {}) {
  const sesLocal = await startSesLocal(config);
  const client = makeClient(sesLocal);
  onTestFinished(async () => {
    client.destroy();
    await sesLocal.stop();
  });
  const send = (change: Partial<SendEmailCommandInput> = {}) =>
    client.send(new SendEmailCommand({ ...makeMail(), ...change }));
  const control = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${sesLocal.url}${path}`, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  };
  return { sesLocal, client, send, control };
}

export function makeClient({ url }: SesLocal, credentials = {}, systemClockOffset = 0): SESv2Client {
  return new SESv2Client({
    endpoint: url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local', ...credentials },
    maxAttempts: 1,
    systemClockOffset,
  });
}

export function makeMail(position = 0, run = 'daily--1'): SendEmailCommandInput {
  return {
    FromEmailAddress: 'News <news@example.com>',
    Destination: { ToAddresses: [`user${position}@example.com`] },
    Content: {
      Simple: {
        Subject: { Data: 'Good morning', Charset: 'UTF-8' },
        Body: { Text: { Data: 'Grüße!\n', Charset: 'UTF-8' } },
        Headers: [{ Name: 'X-Sendonce-Id', Value: `${run}/0/${position}` }],
      },
    },
    EmailTags: [
      { Name: 'sendonce_run', Value: run },
      { Name: 'sendonce_chunk', Value: '0' },
      { Name: 'sendonce_position', Value: String(position) },
    ],
  };
}

export interface ReceivedNotification {
  headers: IncomingHttpHeaders;
  message: Record<string, string>;
}

/** An endpoint that keeps what it gets. @param answer the status for each notification; default 200. */
export async function startEndpoint(answer: (received: ReceivedNotification) => number = () => 200) {
  const received: ReceivedNotification[] = [];
  const server = createServer(async (request, response) => {
    const notification = { headers: request.headers, message: JSON.parse(await textOf(request)) };
    const status = answer(notification);
    if (status < 300) received.push(notification);
    if (notification.message.SubscribeURL && status < 300) await fetch(notification.message.SubscribeURL);
    response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const events = () =>
    received
      .filter(({ message }) => message.Type === 'Notification')
      .map(({ message }) => JSON.parse(message.Message as string));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/ses`, received, events };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
