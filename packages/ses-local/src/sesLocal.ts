/**
 * The simulator as a whole: one HTTP server with SES's calls, the control API, SNS's links and the inbox. Everything is in
 * memory; what is stopped is forgotten.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import { type Logger, pino } from 'pino';
import { ZodError } from 'zod';
import { Account, type AccountState } from './account.js';
import { controlApi } from './controlApi.js';
import { EventPublisher } from './eventPublisher.js';
import { Faults } from './faults.js';
import { inboxPage } from './inboxPage.js';
import { MailStore } from './mailStore.js';
import { MAX_MESSAGE_BYTES } from './sendEmail.js';
import { sesApi } from './sesApi.js';
import { SesError } from './sesError.js';
import { SignatureCheck } from './signature.js';
import { SnsSigner } from './snsSigner.js';

export interface SesLocalConfig {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free one. */
  port?: number;
  /** How old a signature may be, seconds. Default 300, as at SES. */
  signatureSeconds?: number;
  /** Default true. */
  verifiesSignature?: boolean;
  accessKeyId?: string;
  secretAccessKey?: string;
  region?: string;
  /** Mails whose content is kept. Default 20 000. */
  contentLimit?: number;
  /** Default: `sendonce`. */
  configurationSets?: string[];
  account?: Partial<AccountState>;
  /** Where events go, from the start. */
  eventsEndpoint?: string;
  topicArn?: string;
  logger?: Logger;
}

export interface SesLocal {
  /** Also the endpoint for the SDK. */
  readonly url: string;
  readonly port: number;
  readonly mails: MailStore;
  readonly faults: Faults;
  readonly account: Account;
  readonly events: EventPublisher;
  stop(): Promise<void>;
}

export const DEFAULT_TOPIC_ARN = 'arn:aws:sns:us-east-1:000000000000:sendonce-events';

export async function startSesLocal(config: SesLocalConfig = {}): Promise<SesLocal> {
  const { host = '127.0.0.1', port = 0, region = 'us-east-1', logger = pino({ level: 'silent' }) } = config;
  const signer = await SnsSigner.make(region);
  const faults = new Faults();
  const account = new Account(config.account ?? {});
  const mails = new MailStore({ contentLimit: config.contentLimit ?? 20_000 });
  const events = new EventPublisher(
    { faults, logger, signer },
    { topicArn: config.topicArn ?? DEFAULT_TOPIC_ARN },
  );
  const signatures = new SignatureCheck({
    accessKeyId: config.accessKeyId ?? 'local',
    secretAccessKey: config.secretAccessKey ?? 'local',
    signatureSeconds: config.signatureSeconds ?? 300,
    verifiesSignature: config.verifiesSignature ?? true,
  });

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use('/v2', express.raw({ type: () => true, limit: MAX_MESSAGE_BYTES * 2 }));
  app.use(
    sesApi(
      { account, events, faults, mails, signatures },
      { configurationSets: config.configurationSets ?? ['sendonce'] },
    ),
  );
  app.use(controlApi({ account, events, faults, mails, signer }));
  app.use(inboxPage(mails));
  app.use(
    (request, response) =>
      void response.status(404).json({ message: `There is nothing at ${request.path}.` }),
  );
  app.use(errorHandler(logger));

  const server = createServer({ keepAliveTimeout: 60_000 }, app);
  server.listen(port, host);
  await once(server, 'listening');
  const actualPort = (server.address() as AddressInfo).port;
  const url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${actualPort}`;
  events.start(url);
  if (config.eventsEndpoint) events.subscribe(config.eventsEndpoint, '2');
  return { url, port: actualPort, mails, faults, account, events, stop: () => stop(server, events) };
}

async function stop(server: Server, events: EventPublisher): Promise<void> {
  events.stop();
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Errors in the form that the SDK reads: the type in a header, the text in `message`. */
function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    if (response.headersSent) return void response.socket?.destroy();
    response.set('x-amzn-requestid', randomUUID());
    if (error instanceof SesError) {
      response.status(error.status).set('x-amzn-errortype', error.type).json({ message: error.message });
    } else if (error instanceof ZodError) {
      response.status(400).json({
        message: error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
      });
    } else {
      logger.error({ err: error, path: request.path }, 'request failed');
      const status = (error as { status?: number }).status ?? 500;
      response.status(status).json({ message: error instanceof Error ? error.message : String(error) });
    }
  };
}
