/**
 * What the public reaches: SES's events, unsubscribing, and links that are counted. An app of its own on a port of its own, with none of the
 * operators' routes. Everything that comes in is signed, bounded and validated.
 */

import { MalformedEventError, type SesEvents } from '@sendonce/shared/events';
import type { Logger } from '@sendonce/shared/runtime';
import { UNSUBSCRIBE_PATH } from '@sendonce/shared/suppression';
import express, { type ErrorRequestHandler, type Express, type Request } from 'express';
import helmet from 'helmet';
import { failedRequest } from '../failedRequest.js';
import { type LinkRedirectServices, linkRedirect } from './linkRedirect.js';
import { probe } from './probe.js';
import { PUBLIC_CSP, publicPage } from './publicPage.js';
import { type SnsMessages, UntrustedMessageError } from './snsMessages.js';
import { type UnsubscribeServices, unsubscribe } from './unsubscribe.js';

/** SNS messages have 256 kB at the most; in JSON's quotes a little more. */
const BODY_LIMIT = '400kb';

export interface PublicServices extends UnsubscribeServices, LinkRedirectServices {
  events: SesEvents;
  /** Signs what probes are answered. */
  linkSecret: string;
  sns: SnsMessages;
}

export function publicApp(services: PublicServices): Express {
  const { events, logger, sns } = services;
  const app = express();
  app.disable('x-powered-by');
  // A proxy on this machine or in its own network says who asks, and for which host.
  app.set('trust proxy', 'loopback, linklocal, uniquelocal');
  const secure = helmet({ contentSecurityPolicy: { useDefaults: false, directives: PUBLIC_CSP } });
  // First, because of all that comes here it is the most.
  app.use(linkRedirect(services, secure));
  app.use(secure);
  app.get('/healthz', (_, response) => void response.json({ ok: true }));
  app.post('/hooks/ses', express.text({ type: () => true, limit: BODY_LIMIT }), async (request, response) => {
    const message = await sns.verify(String(request.body));
    if (message.Type === 'SubscriptionConfirmation') await sns.confirm(message);
    if (message.Type === 'Notification') await events.record(message.Message);
    response.status(200).json({ ok: true });
  });
  app.use(probe(services.linkSecret));
  app.use(unsubscribe(services));
  app.use((_, response) => void response.status(404).json({ error: 'There is nothing here.' }));
  app.use(errorHandler(logger));
  return app;
}

/** 403 and 400 tell SNS not to repeat; a 5xx tells it to. */
function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const path = pathOf(request);
    if (error instanceof UntrustedMessageError) {
      logger.warn({ path, reason: error.message }, 'message refused');
      response.status(403).json({ error: error.message });
    } else if (error instanceof MalformedEventError) {
      logger.warn({ path, reason: error.message }, 'event not understood');
      response.status(400).json({ error: error.message });
    } else {
      const status = (error as { status?: number }).status ?? 503;
      if (status >= 500)
        logger.error(failedRequest(request, response, { status, path, error }), 'request failed');
      const text = status >= 500 ? 'Try again later.' : 'The request is wrong.';
      if (request.accepts(['json', 'html']) === 'html')
        response
          .status(status)
          .type('html')
          .send(publicPage('That did not work', `<p>${text}</p>`));
      else response.status(status).json({ error: text });
    }
  };
}

/** For the log: whoever has the token of a link may use it. */
function pathOf({ path }: Request): string {
  return path.startsWith(UNSUBSCRIBE_PATH) ? `${UNSUBSCRIBE_PATH}:token` : path;
}
