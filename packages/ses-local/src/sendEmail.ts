/**
 * SendEmail and GetAccount, with the faults that are asked for. The order is Amazon's: signature, then the message, then
 * the account; and the signature's date again at the moment of acceptance, because a request may be on its way for long.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account.js';
import { checkSendEmail, MAX_MESSAGE_BYTES } from './checks.js';
import type { Email } from './email.js';
import type { EventPublisher } from './eventPublisher.js';
import type { Faults } from './faults.js';
import type { MailStore, StoredMail } from './mailStore.js';
import { type RefusalName, refusalOf } from './refusals.js';
import { SesError } from './sesError.js';
import type { SignatureCheck, SignedRequest } from './signature.js';

export interface SesApiServices {
  account: Account;
  events: EventPublisher;
  faults: Faults;
  mails: MailStore;
  signatures: SignatureCheck;
  /** Aborted when the server stops: whoever waits for a latency gives up. */
  stopped: AbortSignal;
}

export interface SesApiConfig {
  configurationSets: string[];
}

/** Base64 in JSON takes four thirds of what it means; and a little for the rest. */
const MAX_BODY_BYTES = MAX_MESSAGE_BYTES * 1.5;

export class SesApi {
  readonly #services: SesApiServices;
  readonly #config: SesApiConfig;

  constructor(services: SesApiServices, config: SesApiConfig) {
    this.#services = services;
    this.#config = config;
  }

  /** @returns false when the request is for nobody here. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { method, url = '' } = request;
    const path = url.split('?', 1)[0];
    const call =
      method === 'POST' && path === '/v2/email/outbound-emails'
        ? this.#sendEmail
        : method === 'GET' && path === '/v2/email/account'
          ? this.#getAccount
          : undefined;
    if (!call) return false;
    try {
      const body = await bodyOf(request);
      await call.call(this, { method: method as string, url, headers: request.headers, body }, response);
    } catch (error) {
      if (!this.#services.stopped.aborted) answerError(response, error);
    }
    return true;
  }

  #getAccount(request: SignedRequest, response: ServerResponse): void {
    this.#services.signatures.verify(request);
    answer(response, 200, this.#services.account.describe());
  }

  async #sendEmail(request: SignedRequest, response: ServerResponse): Promise<void> {
    const { account, events, faults, mails, signatures } = this.#services;
    signatures.verify(request);
    const email = checkSendEmail(parseJson(request.body));
    const { configurationSet: set, recipients } = email;
    if (set !== undefined && !this.#config.configurationSets.includes(set))
      throw refusalOf('missing-configuration-set', `Configuration set <${set}> does not exist.`);
    await this.#wait(faults.strike('before', recipients)?.delayMs);
    const refusal = faults.strike('refuse', recipients);
    if (refusal) {
      const name = refusal.fault === 'rate-limit' ? 'throttle' : (refusal.fault satisfies RefusalName);
      throw refusalOf(name, refusal.message);
    }
    if (faults.strike('drop', recipients)) {
      reset(response);
      return;
    }
    signatures.verifyDate(request);
    account.admit(recipients.length);

    const mail = accept(email);
    mails.add(mail);
    if (set !== undefined) events.publish(mail);
    await this.#wait(faults.strike('after', recipients)?.delayMs);
    this.#answerAccepted(mail, response);
  }

  #answerAccepted(mail: StoredMail, response: ServerResponse): void {
    const breakage = this.#services.faults.strike('break', mail.to)?.fault;
    switch (breakage) {
      case undefined:
        answer(response, 200, { MessageId: mail.messageId });
        return;
      case 'accept-then-reset':
        reset(response);
        return;
      case 'accept-then-500':
        throw new SesError(500, 'InternalServiceErrorException', 'Internal failure');
      case 'accept-then-503':
        throw new SesError(503, 'ServiceUnavailableException', 'Service unavailable');
      case 'accept-then-hang':
        // Until the client goes.
        return;
      default:
        breakage satisfies never;
    }
  }

  async #wait(delayMs = 0): Promise<void> {
    if (delayMs > 0) await sleep(delayMs, undefined, { signal: this.#services.stopped });
  }
}

function accept(email: Email): StoredMail & { email: Email } {
  // As SES's look: time and a UUID, 60 characters.
  const time = Date.now().toString(16).padStart(12, '0');
  const messageId = `0100${time}-${randomUUID()}-000000`;
  return { messageId, acceptedAt: new Date(), to: email.recipients, tags: email.tags, email };
}

/** RST instead of an orderly end, as from a load balancer that died. */
function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function answer(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': randomUUID(),
    ...headers,
  });
  response.end(text);
}

/** In the form that the SDK reads: the type in a header, the text in `message`. */
function answerError(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const { status, type, message } =
    error instanceof SesError ? error : new SesError(500, 'InternalServiceErrorException', String(error));
  answer(response, status, { message }, { 'x-amzn-errortype': type });
}

function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      // The rest is read and thrown away, so that the client gets to read the answer.
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on('end', () => {
      if (size > MAX_BODY_BYTES)
        reject(new SesError(413, 'RequestEntityTooLargeException', 'The request is too large.'));
      else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    request.on('error', reject);
  });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new SesError(400, 'SerializationException', 'The body is no JSON.');
  }
}
