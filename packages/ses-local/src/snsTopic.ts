/**
 * The SNS topic that events go to, and who has subscribed to it: each endpoint has to confirm first, then gets signed
 * notifications by HTTP POST. An endpoint may come up later than we do; while it fails, its notifications wait.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
 */
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Logger } from 'pino';
import { Fifo } from './fifo.js';
import type { SignatureVersion, SnsMessage, SnsSigner } from './snsSigner.js';
import type { SqsQueue } from './sqsQueue.js';

/** Notifications that may wait for an endpoint, some 1 kB each; then the oldest are dropped, as SNS drops after its last retry. */
const QUEUE_LIMIT = 100_000;
const DELIVERIES_AT_ONCE = 16;
/** Waiting times of a failing endpoint; the last again and again. SNS waits 20 s in the end; tests can't. */
const BACKOFF_MS = [50, 50, 200, 500, 1_000, 2_000, 5_000];
/** Tries of one notification, as many as SNS's default policy makes. */
const MAX_TRIES = 50;
const CONFIRM_EVERY_MS = [250, 500, 1_000, 2_000];
const POST_TIMEOUT_MS = 15_000;

interface Waiting {
  /** Made only when it is its turn: a full queue of texts would double the memory. */
  text: () => string;
  signed?: SnsMessage;
  tries: number;
  times: number;
}

interface Subscription {
  endpoint: string;
  arn: string;
  signatureVersion: SignatureVersion;
  token: string;
  isConfirmed: boolean;
  queue: Fifo<Waiting>;
  active: number;
  delivered: number;
  dropped: number;
  /** In a row. */
  failures: number;
  isBackingOff: boolean;
}

export interface SubscriptionState {
  endpoint: string;
  isConfirmed: boolean;
  waiting: number;
  delivered: number;
  dropped: number;
}

type PostResult = 'taken' | 'refused' | 'failed';

export class SnsTopic {
  readonly #logger: Logger;
  readonly #queue: Pick<SqsQueue, 'send'> | undefined;
  readonly #signer: SnsSigner;
  readonly #arn: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: DELIVERIES_AT_ONCE * 2 });
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #baseUrl = '';
  #isStopped = false;

  /** @param queue subscribed from the start, with raw message delivery. */
  constructor(
    {
      logger,
      queue,
      signer,
    }: { logger: Logger; queue?: Pick<SqsQueue, 'send'> | undefined; signer: SnsSigner },
    { arn }: { arn: string },
  ) {
    this.#logger = logger;
    this.#queue = queue;
    this.#signer = signer;
    this.#arn = arn;
  }

  /** @param baseUrl where this server is, for the links in messages. */
  start(baseUrl: string): void {
    this.#baseUrl = baseUrl;
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#agent.destroy();
  }

  get hasSubscribers(): boolean {
    return this.#queue !== undefined || this.#subscriptions.size > 0;
  }

  get subscriptions(): SubscriptionState[] {
    return [...this.#subscriptions.values()].map(
      ({ endpoint, isConfirmed, queue, active, delivered, dropped }) => ({
        endpoint,
        isConfirmed,
        waiting: queue.length + active,
        delivered,
        dropped,
      }),
    );
  }

  /** Asks the endpoint to confirm, until it does. Again for the same endpoint: from the beginning. */
  subscribe(endpoint: string, signatureVersion: SignatureVersion): void {
    const subscription: Subscription = {
      endpoint,
      arn: `${this.#arn}:${randomUUID()}`,
      signatureVersion,
      token: randomUUID().replaceAll('-', '') + randomUUID().replaceAll('-', ''),
      isConfirmed: false,
      queue: new Fifo(QUEUE_LIMIT),
      active: 0,
      delivered: 0,
      dropped: 0,
      failures: 0,
      isBackingOff: false,
    };
    this.#subscriptions.set(endpoint, subscription);
    void this.#askToConfirm(subscription, 0);
  }

  unsubscribe(endpoint: string): boolean {
    this.#subscriptions.get(endpoint)?.queue.clear();
    return this.#subscriptions.delete(endpoint);
  }

  /** The link in a confirmation was followed. @returns the subscription's ARN; undefined: there is no such token. */
  confirm(token: string): string | undefined {
    const found = [...this.#subscriptions.values()].find((candidate) => candidate.token === token);
    if (found) found.isConfirmed = true;
    return found?.arn;
  }

  /**
   * To all who have confirmed by now, as SNS does it.
   * @param times 2: delivered twice, under the same MessageId, as happens with SNS.
   */
  publish(text: () => string, times = 1): void {
    for (let time = 0; time < times; time++) this.#queue?.send(text());
    for (const subscription of this.#subscriptions.values()) {
      if (!subscription.isConfirmed) continue;
      if (subscription.queue.push({ text, tries: 0, times })) this.#drop(subscription, 'the queue is full');
      this.#pump(subscription);
    }
  }

  #pump(subscription: Subscription): void {
    while (subscription.active < DELIVERIES_AT_ONCE && !subscription.isBackingOff && !this.#isStopped) {
      const waiting = subscription.queue.shift();
      if (!waiting) return;
      subscription.active += 1;
      void this.#deliver(subscription, waiting).finally(() => {
        subscription.active -= 1;
        this.#pump(subscription);
      });
    }
  }

  async #deliver(subscription: Subscription, waiting: Waiting): Promise<void> {
    waiting.signed ??= await this.#signer.sign(
      'Notification',
      {
        TopicArn: this.#arn,
        Subject: 'Amazon SES Email Event Notification',
        Message: waiting.text(),
        UnsubscribeURL: `${this.#baseUrl}/sns/unsubscribe?endpoint=${encodeURIComponent(subscription.endpoint)}`,
      },
      subscription.signatureVersion,
    );
    const result = await this.#post(subscription, 'Notification', waiting.signed);
    if (result === 'taken') {
      subscription.failures = 0;
      subscription.delivered += 1;
      waiting.times -= 1;
      if (waiting.times > 0) subscription.queue.unshift(waiting);
      return;
    }
    waiting.tries += 1;
    // A refusal is final (4xx); everything else may pass, and holds back all that comes after.
    if (result === 'refused') {
      this.#drop(subscription, 'it was refused');
      return;
    }
    if (waiting.tries >= MAX_TRIES) this.#drop(subscription, 'the last try failed');
    else subscription.queue.unshift(waiting);
    this.#backOff(subscription);
  }

  #backOff(subscription: Subscription): void {
    if (subscription.isBackingOff) return;
    subscription.isBackingOff = true;
    const delayMs = BACKOFF_MS[Math.min(subscription.failures, BACKOFF_MS.length - 1)] as number;
    subscription.failures += 1;
    this.#later(delayMs, () => {
      subscription.isBackingOff = false;
      this.#pump(subscription);
    });
  }

  #drop(subscription: Subscription, reason: string): void {
    subscription.dropped += 1;
    const { dropped, endpoint } = subscription;
    // Every hundredth, so that a dead endpoint does not fill the log.
    if (dropped % 100 === 1) this.#logger.warn({ endpoint, dropped, reason }, 'notifications dropped');
  }

  async #askToConfirm(subscription: Subscription, asked: number): Promise<void> {
    const isCurrent = this.#subscriptions.get(subscription.endpoint) === subscription;
    if (subscription.isConfirmed || !isCurrent || this.#isStopped) return;
    const message = await this.#signer.sign(
      'SubscriptionConfirmation',
      {
        TopicArn: this.#arn,
        Token: subscription.token,
        Message: `You have chosen to subscribe to the topic ${this.#arn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
        SubscribeURL: `${this.#baseUrl}/sns/confirm?Action=ConfirmSubscription&TopicArn=${this.#arn}&Token=${subscription.token}`,
      },
      subscription.signatureVersion,
    );
    await this.#post(subscription, 'SubscriptionConfirmation', message);
    const delayMs = CONFIRM_EVERY_MS[Math.min(asked, CONFIRM_EVERY_MS.length - 1)] as number;
    this.#later(delayMs, () => void this.#askToConfirm(subscription, asked + 1));
  }

  #post({ endpoint, arn }: Subscription, type: string, message: SnsMessage): Promise<PostResult> {
    const body = JSON.stringify(message);
    const headers = {
      'content-type': 'text/plain; charset=UTF-8',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Amazon Simple Notification Service Agent',
      'x-amz-sns-message-type': type,
      'x-amz-sns-message-id': message.MessageId ?? '',
      'x-amz-sns-topic-arn': this.#arn,
      ...(type === 'Notification' && { 'x-amz-sns-subscription-arn': arn }),
    };
    return new Promise((resolve) => {
      const outgoing = request(endpoint, {
        agent: this.#agent,
        method: 'POST',
        headers,
        timeout: POST_TIMEOUT_MS,
      });
      outgoing.on('response', (response) => {
        response.resume();
        response.on('end', () => resolve(resultOf(response.statusCode ?? 500)));
        response.on('error', () => resolve('failed'));
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('time-out')));
      outgoing.on('error', () => resolve('failed'));
      outgoing.end(body);
    });
  }

  #later(delayMs: number, action: () => void): void {
    if (this.#isStopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }
}

function resultOf(status: number): PostResult {
  if (status < 300) return 'taken';
  return status >= 400 && status < 500 && status !== 429 ? 'refused' : 'failed';
}
