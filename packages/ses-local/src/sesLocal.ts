/**
 * The simulator as a whole: one HTTP server with SES's calls, the control API, SNS's links and the inbox. Everything is in
 * memory; what is stopped is forgotten.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express } from 'express';
import { type Logger, pino } from 'pino';
import { ZodError } from 'zod';
import { Account, type AccountState } from './account.js';
import { type ControlServices, controlApi } from './controlApi.js';
import { EventPublisher } from './eventPublisher.js';
import { Faults } from './faults.js';
import { inboxPage } from './inboxPage.js';
import { MailStore } from './mailStore.js';
import { SesApi } from './sendEmail.js';
import { type SetUp, setUpApi } from './setUpApi.js';
import { SignatureCheck } from './signature.js';
import { type SignatureVersion, SnsSigner } from './snsSigner.js';
import { SnsTopic } from './snsTopic.js';
import { SqsQueue, sqsApi } from './sqsQueue.js';

export interface SesLocalConfig {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free one. */
  port?: number;
  /** Where others reach it, for the links in confirmations. Default: host and port. */
  publicUrl?: string;
  /** How old a signature may be, seconds. Default 300, as at SES. */
  signatureSeconds?: number;
  /** Default true. False: the date is checked, the HMAC is not; for benchmarks. */
  verifySignature?: boolean;
  accessKeyId?: string;
  secretAccessKey?: string;
  region?: string;
  /** Mails whose content is kept. Default 20 000. */
  contentLimit?: number;
  /** Mails of which id, recipients and tags are kept, and which duplicates are looked for among. Default 1 000 000. */
  mailLimit?: number;
  /** Default: `sendonce`. */
  configurationSets?: string[];
  account?: Partial<AccountState>;
  /** Where events go, from the start. */
  eventsEndpoint?: string;
  /** Events also go to an SQS queue; its URL is `queueUrl`. Default: they don't, since nobody might fetch them. */
  hasQueue?: boolean;
  /** How long a message of the queue that was fetched is nobody else's, seconds. Default 30. */
  queueVisibilitySeconds?: number;
  /** Of the messages to `eventsEndpoint`. Default 2. */
  signatureVersion?: SignatureVersion;
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
  readonly topic: SnsTopic;
  /** Also `AWS_ENDPOINT_URL_SQS` is `url`, then. */
  readonly queueUrl: string;
  /** To put where Amazon's would be: `validator.certCache.set(url, pem)`. */
  readonly certificate: { url: string; pem: string };
  stop(): Promise<void>;
}

export const DEFAULT_TOPIC_ARN = 'arn:aws:sns:us-east-1:000000000000:sendonce-events';

export async function startSesLocal(config: SesLocalConfig = {}): Promise<SesLocal> {
  const { host = '127.0.0.1', port = 0, region = 'us-east-1', logger = pino({ level: 'silent' }) } = config;
  const signer = await SnsSigner.make(region);
  const faults = new Faults();
  const account = new Account(config.account ?? {});
  const mails = new MailStore({
    contentLimit: config.contentLimit ?? 20_000,
    mailLimit: config.mailLimit ?? 1_000_000,
  });
  const queue = config.hasQueue
    ? new SqsQueue({ visibilityMs: (config.queueVisibilitySeconds ?? 30) * 1_000 })
    : undefined;
  const setUp: SetUp = {
    configurationSets: config.configurationSets ?? ['sendonce'],
    topicArn: config.topicArn ?? DEFAULT_TOPIC_ARN,
    identities: {},
    suppressed: [],
  };
  const topic = new SnsTopic({ logger, queue, signer }, { arn: setUp.topicArn });
  const events = new EventPublisher({ faults, topic });
  const signatures = new SignatureCheck({
    accessKeyId: config.accessKeyId ?? 'local',
    secretAccessKey: config.secretAccessKey ?? 'local',
    signatureSeconds: config.signatureSeconds ?? 300,
    verifySignature: config.verifySignature ?? true,
  });

  const stopping = new AbortController();
  const api = new SesApi({ account, events, faults, mails, signatures, stopped: stopping.signal }, setUp);
  const app = pagesAndControl({ account, faults, mails, queue, setUp, signer, topic }, logger);
  // SES's own calls don't go through Express: it took a third of the time of a mail.
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    if (!(await api.handle(request, response))) app(request, response);
  });
  server.listen(port, host);
  await once(server, 'listening');
  const actualPort = (server.address() as AddressInfo).port;
  const url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${actualPort}`;
  topic.start(config.publicUrl ?? url);
  if (config.eventsEndpoint) topic.subscribe(config.eventsEndpoint, config.signatureVersion ?? '2');
  return {
    url,
    port: actualPort,
    mails,
    faults,
    account,
    topic,
    queueUrl: `${url}/000000000000/sendonce-events`,
    certificate: signer.certificate,
    stop: async () => {
      if (!server.listening) return;
      stopping.abort();
      events.stop();
      topic.stop();
      queue?.stop();
      await close(server);
    },
  };
}

function pagesAndControl(services: ControlServices, logger: Logger): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  if (services.queue) app.use(sqsApi(services.queue));
  app.use(setUpApi(services.setUp));
  app.use(controlApi(services));
  app.use(inboxPage(services.mails));
  app.use('/v2', (request, response) => {
    response.status(404).set('x-amzn-errortype', 'UnknownOperationException');
    response.json({ message: `${request.method} ${request.originalUrl} is not part of this simulator.` });
  });
  app.use((request, response) => {
    response.status(404).json({ message: `There is nothing at ${request.path}.` });
  });
  app.use(errorHandler(logger));
  return app;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Errors of the control API and the pages; SES's own are answered where they arise. */
function errorHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    if (response.headersSent) return void response.socket?.destroy();
    const status = error instanceof ZodError ? 400 : ((error as { status?: number }).status ?? 500);
    if (status >= 500) logger.error({ err: error, path: request.path }, 'request failed');
    response.status(status).json({
      message:
        error instanceof ZodError
          ? error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
          : String((error as Error).message),
    });
  };
}
