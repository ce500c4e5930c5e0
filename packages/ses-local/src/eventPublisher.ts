/**
 * SES's event publishing: what became of each mail, as signed SNS notifications over HTTP. An endpoint gets events once it
 * has confirmed its subscription; it may come up later than we do.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Logger } from 'pino';
import type { EVENT_FAULTS, Faults } from './faults.js';
import type { StoredMail } from './mailStore.js';
import type { SignatureVersion, SnsMessage, SnsSigner } from './snsSigner.js';

/** Undelivered notifications an endpoint may have; older ones are dropped, as SNS drops them after its retries. */
const QUEUE_LIMIT = 200_000;
const DELIVERIES_AT_ONCE = 16;
const RETRY_DELAYS_MS = [50, 200, 1_000, 2_000, 5_000, 10_000];
const CONFIRM_EVERY_MS = 1_000;
/** Between Send and Delivery. */
const DELIVERY_DELAY_MS = 20;

interface Subscription {
  endpoint: string;
  signatureVersion: SignatureVersion;
  token: string;
  isConfirmed: boolean;
  queue: SnsMessage[];
  active: number;
  dropped: number;
}

export interface EventPublisherServices {
  faults: Faults;
  logger: Logger;
  signer: SnsSigner;
}

type SesEvent = Record<string, unknown>;

export class EventPublisher {
  readonly #services: EventPublisherServices;
  readonly #topicArn: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: DELIVERIES_AT_ONCE * 2 });
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #baseUrl = '';
  #isStopped = false;

  constructor(services: EventPublisherServices, { topicArn }: { topicArn: string }) {
    this.#services = services;
    this.#topicArn = topicArn;
  }

  /** @param baseUrl where this server is, for the links in confirmations. */
  start(baseUrl: string): void {
    this.#baseUrl = baseUrl;
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#agent.destroy();
  }

  get subscriptions(): { endpoint: string; isConfirmed: boolean; waiting: number; dropped: number }[] {
    return [...this.#subscriptions.values()].map(({ endpoint, isConfirmed, queue, active, dropped }) => ({
      endpoint,
      isConfirmed,
      waiting: queue.length + active,
      dropped,
    }));
  }

  subscribe(endpoint: string, signatureVersion: SignatureVersion): void {
    const subscription: Subscription = {
      endpoint,
      signatureVersion,
      token: randomUUID(),
      isConfirmed: false,
      queue: [],
      active: 0,
      dropped: 0,
    };
    this.#subscriptions.set(endpoint, subscription);
    void this.#askForConfirmation(subscription);
  }

  /** The link in a confirmation was followed. False: there is no such token. */
  confirm(token: string): boolean {
    const subscription = [...this.#subscriptions.values()].find((candidate) => candidate.token === token);
    if (subscription) subscription.isConfirmed = true;
    return subscription !== undefined;
  }

  /** Events of an accepted mail, with the faults that are asked for. */
  publish(mail: StoredMail): void {
    if (this.#subscriptions.size === 0) return;
    this.#emit(mail, 'Send', { send: {} }, 0);
    const { fault } = this.#services.faults.strike(['bounce', 'complaint', 'delivery-delay'], mail.to) ?? {};
    const timestamp = new Date().toISOString();
    const recipients = mail.to.map((emailAddress) => ({ emailAddress }));
    const after = DELIVERY_DELAY_MS;
    if (fault === 'bounce' || mail.to.includes('bounce@simulator.amazonses.com')) {
      const bounce = {
        bounceType: 'Permanent',
        bounceSubType: 'General',
        bouncedRecipients: recipients,
        timestamp,
        feedbackId: randomUUID(),
      };
      this.#emit(mail, 'Bounce', { bounce }, after);
      return;
    }
    if (fault === 'delivery-delay') {
      const deliveryDelay = {
        delayType: 'TransientCommunicationFailure',
        delayedRecipients: recipients,
        timestamp,
      };
      this.#emit(mail, 'DeliveryDelay', { deliveryDelay }, after);
    }
    const delivery = {
      timestamp,
      recipients: mail.to,
      smtpResponse: '250 2.6.0 Message received',
      processingTimeMillis: after,
    };
    this.#emit(mail, 'Delivery', { delivery }, fault === 'delivery-delay' ? after * 2 : after);
    if (fault === 'complaint' || mail.to.includes('complaint@simulator.amazonses.com')) {
      const complaint = {
        complainedRecipients: recipients,
        complaintFeedbackType: 'abuse',
        timestamp,
        feedbackId: randomUUID(),
      };
      this.#emit(mail, 'Complaint', { complaint }, after * 2);
    }
  }

  #emit(mail: StoredMail, eventType: string, details: SesEvent, delayMs: number): void {
    const strike = this.#services.faults.strike(
      ['events-lost', 'events-late', 'events-doubled'] satisfies (typeof EVENT_FAULTS)[number][],
      mail.to,
    );
    if (strike?.fault === 'events-lost') return;
    const event = JSON.stringify({ eventType, mail: describeMail(mail), ...details });
    const times = strike?.fault === 'events-doubled' ? 2 : 1;
    const totalMs = delayMs + (strike?.fault === 'events-late' ? strike.delayMs : 0);
    for (let i = 0; i < times; i++) this.#later(totalMs, () => this.#notify(event));
  }

  #notify(event: string): void {
    for (const subscription of this.#subscriptions.values()) {
      if (!subscription.isConfirmed) continue;
      const fields = {
        TopicArn: this.#topicArn,
        Subject: 'Amazon SES Email Event Notification',
        Message: event,
      };
      subscription.queue.push(fields);
      if (subscription.queue.length > QUEUE_LIMIT) {
        subscription.queue.shift();
        subscription.dropped += 1;
      }
      this.#pump(subscription);
    }
  }

  #pump(subscription: Subscription): void {
    while (subscription.active < DELIVERIES_AT_ONCE && !this.#isStopped) {
      const fields = subscription.queue.shift();
      if (!fields) return;
      subscription.active += 1;
      const message = this.#services.signer.sign('Notification', fields, subscription.signatureVersion);
      void this.#deliver(subscription.endpoint, 'Notification', message).finally(() => {
        subscription.active -= 1;
        this.#pump(subscription);
      });
    }
  }

  /** With retries; then the notification is lost, as with SNS. */
  async #deliver(endpoint: string, type: string, message: SnsMessage): Promise<void> {
    for (const delayMs of [...RETRY_DELAYS_MS, undefined]) {
      if (await this.#post(endpoint, type, message)) return;
      if (delayMs === undefined || this.#isStopped) break;
      await new Promise<void>((resolve) => this.#later(delayMs, resolve));
    }
    this.#services.logger.warn({ endpoint }, 'notification not delivered');
  }

  async #askForConfirmation(subscription: Subscription): Promise<void> {
    const { endpoint, signatureVersion, token } = subscription;
    while (!subscription.isConfirmed && !this.#isStopped) {
      const fields = {
        TopicArn: this.#topicArn,
        Token: token,
        Message: `You have chosen to subscribe to the topic ${this.#topicArn}. To confirm the subscription, visit the SubscribeURL.`,
        SubscribeURL: `${this.#baseUrl}/sns/confirm?token=${token}`,
      };
      await this.#post(
        endpoint,
        'SubscriptionConfirmation',
        this.#services.signer.sign('SubscriptionConfirmation', fields, signatureVersion),
      );
      await new Promise<void>((resolve) => this.#later(CONFIRM_EVERY_MS, resolve));
    }
  }

  #post(endpoint: string, type: string, message: SnsMessage): Promise<boolean> {
    const body = JSON.stringify(message);
    return new Promise((resolve) => {
      const outgoing = request(endpoint, {
        agent: this.#agent,
        method: 'POST',
        headers: {
          'content-type': 'text/plain; charset=UTF-8',
          'content-length': Buffer.byteLength(body),
          'x-amz-sns-message-type': type,
          'x-amz-sns-message-id': message.MessageId ?? '',
          'x-amz-sns-topic-arn': this.#topicArn,
        },
        timeout: 15_000,
      });
      outgoing.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve((response.statusCode ?? 500) < 300));
        response.on('error', () => resolve(false));
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('time-out')));
      outgoing.on('error', () => resolve(false));
      outgoing.end(body);
    });
  }

  #later(delayMs: number, action: () => void): void {
    if (delayMs <= 0) {
      action();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }
}

/** The `mail` object of an event: the original headers and tags, as SES repeats them. */
function describeMail({
  messageId,
  acceptedAt,
  to,
  tags,
  request: { Content, FromEmailAddress = '', ConfigurationSetName },
}: StoredMail) {
  const simple = Content.Simple;
  const headers = [
    { name: 'From', value: FromEmailAddress },
    { name: 'To', value: to.join(', ') },
    ...(simple ? [{ name: 'Subject', value: simple.Subject.Data }] : []),
    ...(simple?.Headers ?? []).map(({ Name, Value }) => ({ name: Name, value: Value })),
  ];
  return {
    timestamp: acceptedAt.toISOString(),
    source: FromEmailAddress,
    sendingAccountId: '000000000000',
    messageId,
    destination: to,
    headersTruncated: false,
    headers,
    commonHeaders: { from: [FromEmailAddress], to, messageId, subject: simple?.Subject.Data ?? '' },
    tags: {
      'ses:operation': ['SendEmail'],
      ...(ConfigurationSetName && { 'ses:configuration-set': [ConfigurationSetName] }),
      ...Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, [value]])),
    },
  };
}
