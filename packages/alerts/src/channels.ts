/** The ways to administrators. The first is SES; the second is for the day on which SES is what is broken. */
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { createTransport } from 'nodemailer';
import type { AlertMail } from './alertMail.js';
import type { Mailbox } from './mailboxes.js';

/** An alert must not hang about, ms. */
const TIMEOUT_MS = 15_000;
/** Slack cuts longer texts. https://docs.slack.dev/reference/methods/chat.postMessage#truncating */
const MAX_WEBHOOK_TEXT = 3_500;

export const CHANNELS = ['ses', 'smtp', 'webhook'] as const;

export interface Channel {
  readonly name: (typeof CHANNELS)[number];
  /** @throws when the alert was not taken. */
  send(mail: AlertMail): Promise<void>;
}

export interface People {
  /** Whom alerts are from. */
  from: Mailbox;
  to: readonly Mailbox[];
}

/** No answer to it, please (RFC 3834, 5): nobody's holiday notice shall come back. */
const AUTOMATIC = { name: 'Auto-Submitted', value: 'auto-generated' };

export function sesChannel(
  { from, to }: People,
  { region, endpoint }: { region?: string; endpoint?: string },
): Channel {
  let client: SESv2Client | undefined;
  return {
    name: 'ses',
    async send({ subject, text }) {
      // Repeating is right here: twice told is better than not at all.
      client ??= new SESv2Client({
        ...(region && { region }),
        ...(endpoint && { endpoint }),
        maxAttempts: 2,
        requestHandler: { requestTimeout: TIMEOUT_MS, connectionTimeout: 5_000, throwOnRequestTimeout: true },
      });
      const utf8 = (data: string) => ({ Data: data, Charset: 'UTF-8' });
      await client.send(
        new SendEmailCommand({
          FromEmailAddress: written(from),
          Destination: { ToAddresses: to.map(written) },
          Content: {
            Simple: {
              Subject: utf8(subject),
              Body: { Text: utf8(text) },
              Headers: [{ Name: AUTOMATIC.name, Value: AUTOMATIC.value }],
            },
          },
        }),
      );
    },
  };
}

/** @param url `smtp://user:password@host:port` or `smtps://…`. */
export function smtpChannel({ from, to }: People, url: string): Channel {
  const limits = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
  const transport = createTransport({ url, ...limits });
  return {
    name: 'smtp',
    async send({ subject, text }) {
      const headers = { [AUTOMATIC.name]: AUTOMATIC.value };
      await transport.sendMail({ from, to: [...to], subject, text, headers });
    },
  };
}

/** The JSON that Slack, Mattermost and others take. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function webhookChannel(url: string): Channel {
  return {
    name: 'webhook',
    async send({ subject, text }) {
      const short = text.length > MAX_WEBHOOK_TEXT ? `${text.slice(0, MAX_WEBHOOK_TEXT)}…` : text;
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: `*${subject}*\n${short}` }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the webhook answered ${response.status}`);
    },
  };
}

/** `"Ops, Berlin" <ops@example.com>` (RFC 5322, 3.4); names beyond ASCII as encoded words (RFC 2047). */
function written({ name, address }: Mailbox): string {
  if (!name) return address;
  if (/^[\x20-\x7e]*$/.test(name)) return `"${name.replace(/["\\]/g, '\\$&')}" <${address}>`;
  return `=?UTF-8?B?${Buffer.from(name).toString('base64')}?= <${address}>`;
}
