/**
 * SES's events from an SQS queue, for who has no public endpoint, and because SNS gives up on HTTPS after an hour while a
 * queue keeps messages for days. A message is deleted when its event is taken in, and not before: whatever fails comes
 * again after the visibility time-out, and what can't be understood ends in the queue's dead-letter queue.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type Logger, messageOf, type Service } from '../runtime/index.js';
import { MalformedEventError, type SesEvents } from './sesEvents.js';

/** The most that SQS gives and takes at once. */
const BATCH_SIZE = 10;
const WAIT_SECONDS = 20;
/** Receives under way at the same time: while one waits for Redis, others fetch. */
const RECEIVERS = 4;
/** What a receiver has fetched and not done yet, batches: an event may wait for a disk or a replica for up to a second. */
const BATCHES_AT_ONCE = 10;
/** After an error of SQS, ms. */
const BACK_OFF_MS = 2_000;

export interface EventsQueueConfig {
  queueUrl: string;
  region: string;
  /** Where messages come in SNS's envelope (no raw delivery): the topics that are believed; none: any. */
  topicArns: readonly string[];
}

export class EventsQueue implements Service {
  readonly name = 'events queue';
  readonly #services: { events: SesEvents; logger: Logger };
  readonly #config: EventsQueueConfig;
  readonly #sqs: SQSClient;
  readonly #stopping = new AbortController();
  #receivers: Promise<void>[] = [];
  #isAway = false;

  constructor(services: { events: SesEvents; logger: Logger }, config: EventsQueueConfig) {
    this.#services = services;
    this.#config = config;
    this.#sqs = new SQSClient({ region: config.region });
  }

  /** How many messages wait, and whether what can't be understood has somewhere to go. */
  static async look({
    queueUrl,
    region,
  }: Pick<EventsQueueConfig, 'queueUrl' | 'region'>): Promise<{ waiting: number; hasDeadLetters: boolean }> {
    const sqs = new SQSClient({ region });
    try {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: queueUrl,
          AttributeNames: ['ApproximateNumberOfMessages', 'RedrivePolicy'],
        }),
      );
      return {
        waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
        hasDeadLetters: Attributes.RedrivePolicy !== undefined,
      };
    } finally {
      sqs.destroy();
    }
  }

  start(): void {
    if (this.#receivers.length > 0 || this.#stopping.signal.aborted) return;
    this.#receivers = Array.from({ length: RECEIVERS }, () => this.#receive());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#receivers);
    this.#sqs.destroy();
  }

  async #receive(): Promise<void> {
    const { signal } = this.#stopping;
    const underWay = new Set<Promise<void>>();
    while (!signal.aborted) {
      try {
        const { Messages = [] } = await this.#sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: this.#config.queueUrl,
            MaxNumberOfMessages: BATCH_SIZE,
            WaitTimeSeconds: WAIT_SECONDS,
            MessageSystemAttributeNames: ['ApproximateReceiveCount'],
          }),
          { abortSignal: signal },
        );
        if (this.#isAway) this.#services.logger.info('the queue of SES events is back');
        this.#isAway = false;
        const taken = this.#take(Messages)
          .catch((error: unknown) => this.#noteAway(error))
          .finally(() => underWay.delete(taken));
        underWay.add(taken);
        if (Messages.length < BATCH_SIZE || underWay.size === BATCHES_AT_ONCE) await Promise.race(underWay);
      } catch (error) {
        if (signal.aborted) break;
        this.#noteAway(error);
        await sleep(BACK_OFF_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    await Promise.allSettled(underWay);
  }

  /** Once, and not every attempt. */
  #noteAway(error: unknown): void {
    if (!this.#isAway) this.#services.logger.error({ err: error }, "the queue of SES events can't be read");
    this.#isAway = true;
  }

  async #take(messages: Message[]): Promise<void> {
    const taken = await Promise.all(messages.map((message) => this.#record(message)));
    const done = messages.filter((_, index) => taken[index]);
    if (done.length === 0) return;
    // Whatever is not deleted comes again, and changes nothing the second time.
    await this.#sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl: this.#config.queueUrl,
        Entries: done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
      }),
    );
  }

  /** @returns whether the message has done its work. */
  async #record({ Body = '', MessageId, Attributes }: Message): Promise<boolean> {
    const { events, logger } = this.#services;
    try {
      await events.record(this.#unwrap(Body));
      return true;
    } catch (error) {
      const isFirst = Attributes?.ApproximateReceiveCount === '1';
      if (!(error instanceof MalformedEventError))
        logger.error({ message: MessageId, err: error }, 'an event could not be taken in, it comes again');
      else if (isFirst)
        logger.warn(
          { message: MessageId, reason: messageOf(error) },
          'a message of the queue is no SES event',
        );
      return false;
    }
  }

  /** SNS's envelope around the event, where the subscription has no raw delivery. */
  #unwrap(body: string): string {
    if (!body.includes('"TopicArn"')) return body;
    const { Message, TopicArn } = parse(body) as { Message?: string; TopicArn?: string };
    const { topicArns } = this.#config;
    if (topicArns.length > 0 && !topicArns.includes(TopicArn ?? ''))
      throw new MalformedEventError('The topic is not in SNS_TOPIC_ARNS.');
    return Message ?? body;
  }
}

function parse(body: string): object {
  try {
    return JSON.parse(body) as object;
  } catch (error) {
    throw new MalformedEventError('The message is not JSON.', { cause: error });
  }
}
