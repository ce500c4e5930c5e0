/** What tests and people ask the simulator itself: mails, reports, faults, the account, subscriptions. */
import express, { Router } from 'express';
import { z } from 'zod';
import { type Account, AccountState } from './account.js';
import { headerFieldsOf, subjectOf } from './email.js';
import { FaultPlan, type Faults } from './faults.js';
import type { MailQuery, MailStore, StoredMail } from './mailStore.js';
import { mimeSource } from './mimeSource.js';
import { Identities, type SetUp, Suppressed } from './setUpApi.js';
import type { SnsSigner } from './snsSigner.js';
import type { SnsTopic } from './snsTopic.js';
import type { SqsQueue } from './sqsQueue.js';

export interface ControlServices {
  account: Account;
  faults: Faults;
  mails: MailStore;
  queue?: SqsQueue | undefined;
  setUp: SetUp;
  signer: SnsSigner;
  topic: SnsTopic;
}

const MailsQuery = z
  .object({
    to: z.string().optional(),
    tag: z
      .string()
      .regex(/^[^:]+:.*$/, 'expected name:value')
      .optional(),
    limit: z.coerce.number().int().min(1).max(1_000).default(100),
    skip: z.coerce.number().int().min(0).default(0),
    after: z.string().optional(),
  })
  .transform(({ to, tag = '', limit, skip, after }): MailQuery => {
    const [name = '', ...value] = tag.split(':');
    return {
      limit,
      skip,
      ...(to && { to }),
      ...(name && { tag: { name, value: value.join(':') } }),
      ...(after && { after }),
    };
  });

const ReportQuery = z.object({ run: z.string().optional() });

const SubscriptionRequest = z.strictObject({
  endpoint: z.url({ protocol: /^http$/ }),
  signatureVersion: z.enum(['1', '2']).default('2'),
});

export function controlApi(services: ControlServices): Router {
  const router = Router();
  router.get('/healthz', (_, response) => void response.json({ ok: true }));
  router.use(mailRoutes(services), controlRoutes(services), snsRoutes(services));
  return router;
}

function mailRoutes({ mails }: ControlServices): Router {
  const router = Router();
  router.get('/messages', (request, response) => {
    response.json(mails.find(MailsQuery.parse(request.query)).map(summarise));
  });
  router.get('/messages/:id', async (request, response) => {
    const mail = mails.get(request.params.id);
    if (!mail)
      return void response.status(404).json({ message: 'There is no such mail, or it is long gone.' });
    const { acceptedAt, email, messageId } = mail;
    const source = email && (await mimeSource(email, messageId, acceptedAt));
    response.json({ ...summarise(mail), request: email?.request, source });
  });
  router.delete('/messages', (_, response) => {
    mails.clear();
    response.status(204).end();
  });
  router.get('/report', (request, response) => {
    const { run } = ReportQuery.parse(request.query);
    response.json(mails.report(run));
  });
  router.get('/report/positions', (request, response) => {
    const { run = '' } = ReportQuery.parse(request.query);
    response.type('json').send(positionsJson(mails.positions(run)));
  });
  return router;
}

function controlRoutes({ account, faults, queue, setUp, topic }: ControlServices): Router {
  const router = Router();
  router.use('/control', express.json({ limit: '1mb' }));
  router.get('/control/faults', (_, response) => void response.json(faults.plan));
  router.put('/control/faults', (request, response) => {
    faults.set(FaultPlan.parse(request.body));
    response.json(faults.plan);
  });
  router.delete('/control/faults', (_, response) => {
    faults.clear();
    response.status(204).end();
  });
  router.get('/control/account', (_, response) => void response.json(account.state));
  router.put('/control/account', (request, response) => {
    account.change(dropUndefined(AccountState.partial().parse(request.body)));
    response.json(account.state);
  });
  router.put('/control/identities', (request, response) => {
    Object.assign(setUp.identities, Identities.parse(request.body));
    response.json(setUp.identities);
  });
  router.put('/control/suppressed', (request, response) => {
    setUp.suppressed = Suppressed.parse(request.body);
    response.json({ suppressed: setUp.suppressed.length });
  });
  router.get('/control/queue', (_, response) => {
    if (!queue)
      return void response.status(404).json({ message: 'There is no queue: EVENTS_QUEUE is not set.' });
    response.json(queue.state);
  });
  router.post('/control/queue', express.text({ type: 'text/plain', limit: '1mb' }), (request, response) => {
    queue?.send(String(request.body));
    response.status(queue ? 202 : 404).end();
  });
  router.get('/control/subscriptions', (_, response) => void response.json(topic.subscriptions));
  router.post('/control/subscriptions', (request, response) => {
    const { endpoint, signatureVersion } = SubscriptionRequest.parse(request.body);
    topic.subscribe(endpoint, signatureVersion);
    response.status(202).json({ endpoint });
  });
  router.delete('/control/subscriptions', (request, response) => {
    const { endpoint } = SubscriptionRequest.pick({ endpoint: true }).parse(request.query);
    response.status(topic.unsubscribe(endpoint) ? 204 : 404).end();
  });
  return router;
}

/** What the links in notifications lead to. */
function snsRoutes({ signer, topic }: ControlServices): Router {
  const router = Router();
  router.get('/sns/confirm', (request, response) => {
    const arn = topic.confirm(String(request.query.Token));
    if (!arn) return void response.status(404).json({ message: 'There is no such token.' });
    response
      .type('xml')
      .send(
        `<ConfirmSubscriptionResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ConfirmSubscriptionResult><SubscriptionArn>${arn}</SubscriptionArn></ConfirmSubscriptionResult></ConfirmSubscriptionResponse>`,
      );
  });
  router.get('/sns/unsubscribe', (request, response) => {
    response.status(topic.unsubscribe(String(request.query.endpoint)) ? 200 : 404).end();
  });
  router.get('/sns/certificate', (_, response) => void response.json(signer.certificate));
  router.get('/sns/certificate.pem', (_, response) => {
    response.type('application/x-pem-file').send(signer.certificate.pem);
  });
  return router;
}

function summarise({ messageId, acceptedAt, to, tags, email }: StoredMail) {
  const fields = email ? headerFieldsOf(email) : [];
  return {
    messageId,
    acceptedAt,
    to,
    tags,
    ...(email && {
      from: email.from,
      subject: subjectOf(email),
      headers: Object.fromEntries(fields.map(({ name, value }) => [name, value])),
      text: email.request.Content.Simple?.Body.Text?.Data,
    }),
  };
}

/** Piece by piece: an object of a million entries would take ten times the memory. */
function positionsJson(positions: Iterable<[chunk: number, position: number, times: number]>): string {
  const entries: string[] = [];
  for (const [chunk, position, times] of positions) entries.push(`"${chunk}/${position}":${times}`);
  return `{${entries.join(',')}}`;
}

function dropUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}
