/** Single messages: sending one, and looking at it. See `SingleMessages` for how a repeated request does not count twice. */

import { parseRunId } from '@sendonce/shared/run';
import { type AcceptedMessage, messageReport } from '@sendonce/shared/singleMessages';
import { z } from 'zod';
import { idempotencyKey, unquoted } from './idempotencyKey.js';
import { type Operation, operation } from './operation.js';
import { ProblemError } from './problems.js';
import { Message } from './schemas.js';
import type { ApiServices } from './services.js';

export function messageOperations(services: ApiServices): Operation[] {
  const { messages } = services;
  return [
    operation({
      id: 'sendMessage',
      method: 'post',
      url: '/messages',
      group: 'Messages',
      scope: 'messages',
      summary: 'Send a message',
      description:
        'One mail to one person, at once; it passes campaigns. The same Idempotency-Key is the same mail, whichever dashboard is asked and whatever died in between: repeat a request that got no answer.',
      headers: z.object({ 'idempotency-key': idempotencyKey('message') }),
      body: z.strictObject({
        template: z
          .string()
          .min(1)
          .max(100)
          .meta({ description: 'A campaign that says `audience: messages`.' }),
        to: z.string().max(320).meta({ description: 'An address.' }),
        data: z
          .record(z.string(), z.unknown())
          .default({})
          .meta({ description: 'Merge fields, named as in the template; values of any kind.' }),
      }),
      answers: {
        202: {
          description: 'It is accepted: durable, and sent once.',
          schema: Message,
          headers: { Location: 'The message.' },
        },
        200: {
          description: 'It was accepted before; nothing is sent twice.',
          schema: Message,
          headers: { Location: 'The message.', 'Idempotency-Replayed': '`true`.' },
        },
      },
      problems: [
        'unknown-template',
        'invalid-campaign',
        'unfit-message',
        'other-message',
        'forgotten-message',
        'busy',
      ],
      handle: async ({ headers, body, client, base }) => {
        const key = unquoted(headers['idempotency-key']);
        const accepted = await messages.accept({ client, idempotencyKey: key, ...body });
        return {
          status: accepted.replayed ? 200 : 202,
          body: messageJson(key, accepted),
          headers: {
            location: `${base}/messages/${encodeURIComponent(key)}`,
            ...(accepted.replayed && { 'idempotency-replayed': 'true' }),
          },
        };
      },
    }),
    operation({
      id: 'getMessage',
      method: 'get',
      url: '/messages/{key}',
      group: 'Messages',
      scope: 'messages',
      summary: 'Get a message',
      path: z.strictObject({ key: z.string().min(1).max(255) }),
      answers: { 200: { description: 'The message as it is now.', schema: Message } },
      problems: ['unknown-message'],
      handle: async ({ path: { key }, client }) => {
        const found = await messages.find(client, key);
        if (!found) throw new ProblemError('unknown-message');
        const { messageId, sentAt, reason, outcomes } = await messageReport(
          services,
          found.record,
          found.state,
        );
        return {
          status: 200,
          body: {
            ...messageJson(key, found),
            ...(messageId !== undefined && { message_id: messageId }),
            ...(sentAt && { sent_at: sentAt.toISOString() }),
            ...(reason !== undefined && { reason }),
            ...(outcomes.length > 0 && { outcomes }),
          },
        };
      },
    }),
  ];
}

function messageJson(
  key: string,
  { record: { place, acceptedAt }, state }: Omit<AcceptedMessage, 'replayed'>,
) {
  return {
    key,
    template: parseRunId(place.run)?.campaign ?? '',
    status: state,
    accepted_at: new Date(acceptedAt).toISOString(),
    run: place.run,
  };
}
