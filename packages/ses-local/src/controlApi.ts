/** What tests and people ask the simulator itself: mails, reports, faults, the account, subscriptions. */
import express, { type Request, Router } from 'express';
import { z } from 'zod';
import { type Account, AccountState } from './account.js';
import type { EventPublisher } from './eventPublisher.js';
import { FaultPlan, type Faults } from './faults.js';
import type { MailStore, StoredMail } from './mailStore.js';
import { mimeSource } from './mimeSource.js';
import type { SnsSigner } from './snsSigner.js';

export interface ControlServices {
  account: Account;
  events: EventPublisher;
  faults: Faults;
  mails: MailStore;
  signer: SnsSigner;
}

const MailsQuery = z.object({
  to: z.string().optional(),
  /** `name:value` */
  tag: z
    .string()
    .regex(/^[^:]+:.*$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  skip: z.coerce.number().int().min(0).default(0),
});

const SubscriptionRequest = z.strictObject({
  endpoint: z.url({ protocol: /^http$/ }),
  signatureVersion: z.enum(['1', '2']).default('2'),
});

export function controlApi({ account, events, faults, mails, signer }: ControlServices): Router {
  const router = Router();
  const json = express.json({ limit: '1mb' });
  router.get('/healthz', (_, response) => void response.json({ ok: true }));

  router.get('/messages', (request, response) => {
    const query = parseMailQuery(request);
    response.json(mails.find(query).map(summarise));
  });
  router.get('/messages/:id', async (request, response) => {
    const mail = mails.get(request.params.id);
    if (!mail)
      return void response
        .status(404)
        .json({ message: 'There is no such mail, or it is not kept any more.' });
    response.json({ ...summarise(mail), request: mail.request, source: await mimeSource(mail) });
  });
  router.delete('/messages', (_, response) => {
    mails.clear();
    response.status(204).end();
  });
  router.get('/report', (_, response) => void response.json(mails.report()));
  router.get(
    '/report/positions',
    (request, response) => void response.json(mails.positions(String(request.query.run ?? ''))),
  );

  router.get('/control/faults', (_, response) => void response.json(faults.plan));
  router.put('/control/faults', json, (request, response) => {
    faults.set(FaultPlan.parse(request.body));
    response.json(faults.plan);
  });
  router.delete('/control/faults', (_, response) => {
    faults.set({ seed: 1, rules: [] });
    response.status(204).end();
  });
  router.get('/control/account', (_, response) => void response.json(account.state));
  router.put('/control/account', json, (request, response) => {
    account.change(dropUndefined(AccountState.partial().parse(request.body)));
    response.json(account.state);
  });
  router.get('/control/subscriptions', (_, response) => void response.json(events.subscriptions));
  router.post('/control/subscriptions', json, (request, response) => {
    const { endpoint, signatureVersion } = SubscriptionRequest.parse(request.body);
    events.subscribe(endpoint, signatureVersion);
    response.status(202).json({ endpoint });
  });

  router.get('/sns/confirm', (request, response) => {
    const isKnown = events.confirm(String(request.query.token ?? ''));
    response.status(isKnown ? 200 : 404).json({ confirmed: isKnown });
  });
  router.get('/sns/certificate', (_, response) => void response.json(signer.certificate));
  return router;
}

export function parseMailQuery(request: Request) {
  const { to, tag, limit, skip } = MailsQuery.parse(request.query);
  const [name = '', ...value] = (tag ?? '').split(':');
  return { limit, skip, ...(to && { to }), ...(tag && { tag: { name, value: value.join(':') } }) };
}

function summarise({ messageId, acceptedAt, to, tags, request }: StoredMail) {
  const { FromEmailAddress: from, Content } = request;
  const { Simple } = Content;
  const headers = Object.fromEntries((Simple?.Headers ?? []).map(({ Name, Value }) => [Name, Value]));
  return {
    messageId,
    acceptedAt,
    from,
    to,
    tags,
    headers,
    subject: Simple?.Subject.Data,
    text: Simple?.Body.Text?.Data,
  };
}

function dropUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;
}
