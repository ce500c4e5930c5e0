/**
 * What `doctor` asks about the set-up: identities, configuration sets and where their events go. Everything is in order,
 * but for identities that the control API says otherwise of.
 */
import { Router } from 'express';
import { z } from 'zod';

const DkimStatus = z.enum(['PENDING', 'SUCCESS', 'FAILED', 'TEMPORARY_FAILURE', 'NOT_STARTED']);
export const Identities = z.record(z.string().min(1), DkimStatus);

const EVENT_TYPES = [
  'SEND',
  'REJECT',
  'BOUNCE',
  'COMPLAINT',
  'DELIVERY',
  'DELIVERY_DELAY',
  'RENDERING_FAILURE',
];

export interface SetUp {
  configurationSets: string[];
  topicArn: string;
  /** By name; others are verified. */
  identities: z.infer<typeof Identities>;
}

export function setUpApi({ configurationSets, topicArn, identities }: SetUp): Router {
  const router = Router();
  router.get('/v2/email/identities/:name', (request, response) => {
    const status = identities[request.params.name] ?? 'SUCCESS';
    response.json({
      IdentityType: 'DOMAIN',
      VerifiedForSendingStatus: status === 'SUCCESS',
      DkimAttributes: { SigningEnabled: true, Status: status },
    });
  });
  router.get('/v2/email/configuration-sets/:name/event-destinations', (request, response) => {
    const { name } = request.params;
    if (!configurationSets.includes(name)) {
      response.status(404).set('x-amzn-errortype', 'NotFoundException');
      return void response.json({ message: `Configuration set <${name}> does not exist.` });
    }
    response.json({
      EventDestinations: [
        {
          Name: 'sendonce-events',
          Enabled: true,
          MatchingEventTypes: EVENT_TYPES,
          SnsDestination: { TopicArn: topicArn },
        },
      ],
    });
  });
  return router;
}
