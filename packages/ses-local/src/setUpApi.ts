/**
 * What is asked about the set-up: identities, configuration sets and where their events go, the account's suppression list.
 * Everything is in order, but for what the control API says otherwise of.
 */
import { Router } from 'express';
import { z } from 'zod';

const DkimStatus = z.enum(['PENDING', 'SUCCESS', 'FAILED', 'TEMPORARY_FAILURE', 'NOT_STARTED']);
export const Suppressed = z.array(z.string().min(3)).max(1_000_000);
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

const PageQuery = z.object({
  PageSize: z.coerce.number().int().min(1).max(1_000).default(1_000),
  NextToken: z.coerce.number().int().min(0).default(0),
});

/** 2026-01-01, in seconds as the protocol has it. */
const SUPPRESSED_SINCE = 1_767_225_600;

export interface SetUp {
  configurationSets: string[];
  topicArn: string;
  /** By name; others are verified. */
  identities: z.infer<typeof Identities>;
  /** Addresses on the account's suppression list. */
  suppressed: string[];
}

export function setUpApi(setUp: SetUp): Router {
  const { configurationSets, topicArn, identities } = setUp;
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
  router.get('/v2/email/suppression/addresses', (request, response) => {
    const { PageSize, NextToken } = PageQuery.parse(request.query);
    const page = setUp.suppressed.slice(NextToken, NextToken + PageSize);
    const next = NextToken + page.length;
    response.json({
      SuppressedDestinationSummaries: page.map((address) => ({
        EmailAddress: address,
        Reason: 'BOUNCE',
        LastUpdateTime: SUPPRESSED_SINCE,
      })),
      ...(next < setUp.suppressed.length && { NextToken: String(next) }),
    });
  });
  return router;
}
