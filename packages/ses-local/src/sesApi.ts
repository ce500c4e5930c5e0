/**
 * The SES v2 calls: SendEmail and GetAccount, with the faults that are asked for. The order is Amazon's: signature, then
 * the account, then the message.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Request, type Response, Router } from 'express';
import type { Account } from './account.js';
import type { EventPublisher } from './eventPublisher.js';
import { type Faults, REFUSAL_FAULTS, refusalOf } from './faults.js';
import { type MailStore, type StoredMail, tagsOf } from './mailStore.js';
import { checkSendEmail, recipientsOf, type SendEmailRequest } from './sendEmail.js';
import { SesError } from './sesError.js';
import type { SignatureCheck, SignedRequest } from './signature.js';

export interface SesApiServices {
  account: Account;
  events: EventPublisher;
  faults: Faults;
  mails: MailStore;
  signatures: SignatureCheck;
}

export interface SesApiConfig {
  configurationSets: string[];
}

export function sesApi(services: SesApiServices, config: SesApiConfig): Router {
  const router = Router();
  router.get('/v2/email/account', (request, response) => {
    services.signatures.verify(signed(request));
    response.json(services.account.describe());
  });
  router.post('/v2/email/outbound-emails', (request, response) =>
    sendEmail(services, config, request, response),
  );
  return router;
}

async function sendEmail(
  { account, events, faults, mails, signatures }: SesApiServices,
  { configurationSets }: SesApiConfig,
  request: Request,
  response: Response,
): Promise<void> {
  signatures.verify(signed(request));
  const email = checkSendEmail(parseJson(request.body as Buffer));
  const recipients = recipientsOf(email);
  const set = email.ConfigurationSetName;
  if (set !== undefined && !configurationSets.includes(set)) {
    throw new SesError(404, 'NotFoundException', `Configuration set <${set}> does not exist.`);
  }
  const slow = faults.strike(['latency-before'], recipients);
  if (slow) await sleep(slow.delayMs);
  const refusal = faults.strike(REFUSAL_FAULTS, recipients);
  if (refusal) throw refusalOf(refusal.fault);
  if (faults.strike(['refuse-then-reset'], recipients)) return reset(response);
  // It may have been on its way for long by now; SES looks at the date when it takes the message.
  signatures.verifyDate(signed(request));
  account.admit(recipients.length);

  const mail = toStoredMail(email, recipients);
  mails.add(mail);
  if (set !== undefined) events.publish(mail);
  await answerAccepted(faults, recipients, mail, response);
}

async function answerAccepted(
  faults: Faults,
  recipients: string[],
  mail: StoredMail,
  response: Response,
): Promise<void> {
  const slow = faults.strike(['latency-after'], recipients);
  if (slow) await sleep(slow.delayMs);
  const breakage = faults.strike(
    ['accept-then-reset', 'accept-then-500', 'accept-then-503', 'accept-then-hang'],
    recipients,
  );
  switch (breakage?.fault) {
    case undefined:
      response.json({ MessageId: mail.messageId });
      return;
    case 'accept-then-reset':
      return reset(response);
    case 'accept-then-500':
      throw new SesError(500, 'InternalServiceErrorException', 'Internal failure');
    case 'accept-then-503':
      throw new SesError(503, 'ServiceUnavailableException', 'Service unavailable');
    case 'accept-then-hang':
      // Until the client goes.
      return;
  }
}

/** RST instead of an orderly end, as from a load balancer that died. */
function reset(response: Response): void {
  response.socket?.resetAndDestroy();
}

function toStoredMail(request: SendEmailRequest, to: string[]): StoredMail {
  // As SES's look: time and randomness, 60 characters.
  const time = Date.now().toString(16).padStart(16, '0');
  const messageId = `${time}-${randomBytes(4).toString('hex')}-${randomUUID().slice(9)}-000000`;
  return { messageId, acceptedAt: new Date(), to, tags: tagsOf(request), request };
}

function signed(request: Request): SignedRequest {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  return { method: request.method, url: request.originalUrl, headers: request.headers, body };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new SesError(400, 'BadRequestException', 'The body is no JSON.');
  }
}
