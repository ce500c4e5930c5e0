/**
 * An SQS queue that the topic delivers to, raw (without SNS's envelope): what a consumer needs of SQS's JSON protocol.
 * Messages that are taken and not deleted come back after the visibility time-out, and after five times lie in the
 * dead-letter queue. Any credentials will do.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
import { createHash, randomUUID } from 'node:crypto';
import { Router, text } from 'express';
import { z } from 'zod';
import { Fifo } from './fifo.js';

/** Messages that wait; then the oldest go, as at SQS after the retention. */
const QUEUE_LIMIT = 100_000;
const MAX_RECEIVES = 5;
const MAX_MESSAGES = 10;
const DEAD_LETTERS_KEPT = 1_000;

interface Message {
  id: string;
  body: string;
  receives: number;
}

/** Taken by somebody, by its receipt handle. */
interface InFlight {
  message: Message;
  timer: NodeJS.Timeout;
}

const ReceiveMessage = z.object({
  MaxNumberOfMessages: z.number().int().min(1).max(MAX_MESSAGES).default(1),
  WaitTimeSeconds: z.number().min(0).max(20).default(0),
  VisibilityTimeout: z.number().min(0).max(43_200).optional(),
});

const DeleteMessageBatch = z.object({
  Entries: z
    .array(z.object({ Id: z.string(), ReceiptHandle: z.string() }))
    .min(1)
    .max(MAX_MESSAGES),
});

export class SqsQueue {
  readonly #visibilityMs: number;
  readonly #ready = new Fifo<Message>(QUEUE_LIMIT);
  readonly #inFlight = new Map<string, InFlight>();
  readonly #deadLetters = new Fifo<Message>(DEAD_LETTERS_KEPT);
  readonly #waiters = new Set<() => void>();

  /** @param visibilityMs how long a message that was taken is nobody else's. */
  constructor({ visibilityMs }: { visibilityMs: number }) {
    this.#visibilityMs = visibilityMs;
  }

  get state() {
    return {
      waiting: this.#ready.length,
      inFlight: this.#inFlight.size,
      deadLetters: this.#deadLetters.length,
    };
  }

  send(body: string): void {
    this.#put({ id: randomUUID(), body, receives: 0 });
  }

  /** Waits for a message, as long polling does; may return none. */
  async receive(limit: number, waitMs: number, visibilityMs = this.#visibilityMs) {
    if (this.#ready.length === 0 && waitMs > 0) await this.#untilReady(waitMs);
    const taken = [];
    while (taken.length < limit) {
      const message = this.#ready.shift();
      if (!message) break;
      message.receives += 1;
      const handle = randomUUID();
      const timer = setTimeout(() => this.#comeBack(handle), visibilityMs);
      timer.unref();
      this.#inFlight.set(handle, { message, timer });
      taken.push({ message, handle });
    }
    return taken;
  }

  delete(handle: string): boolean {
    clearTimeout(this.#inFlight.get(handle)?.timer);
    return this.#inFlight.delete(handle);
  }

  stop(): void {
    for (const { timer } of this.#inFlight.values()) clearTimeout(timer);
    for (const wake of this.#waiters) wake();
  }

  #comeBack(handle: string): void {
    const message = this.#inFlight.get(handle)?.message;
    this.#inFlight.delete(handle);
    if (!message) return;
    if (message.receives >= MAX_RECEIVES) this.#deadLetters.push(message);
    else this.#put(message);
  }

  #put(message: Message): void {
    this.#ready.push(message);
    const [wake] = this.#waiters;
    wake?.();
  }

  #untilReady(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      this.#waiters.add(wake);
    });
  }
}

/** The calls, told apart by a header: every SDK that speaks `AmazonSQS` JSON. */
export function sqsApi(queue: SqsQueue): Router {
  const calls: Record<string, (input: unknown) => Promise<object> | object> = {
    ReceiveMessage: async (input) => {
      const { MaxNumberOfMessages, WaitTimeSeconds, VisibilityTimeout } = ReceiveMessage.parse(input);
      const visibilityMs = VisibilityTimeout === undefined ? undefined : VisibilityTimeout * 1_000;
      const taken = await queue.receive(MaxNumberOfMessages, WaitTimeSeconds * 1_000, visibilityMs);
      return {
        Messages: taken.map(({ message, handle }) => ({
          MessageId: message.id,
          ReceiptHandle: handle,
          MD5OfBody: createHash('md5').update(message.body).digest('hex'),
          Body: message.body,
          Attributes: { ApproximateReceiveCount: String(message.receives) },
        })),
      };
    },
    DeleteMessageBatch: (input) => {
      const { Entries } = DeleteMessageBatch.parse(input);
      for (const { ReceiptHandle } of Entries) queue.delete(ReceiptHandle);
      return { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] };
    },
    GetQueueAttributes: () => {
      const { waiting, inFlight } = queue.state;
      return {
        Attributes: {
          ApproximateNumberOfMessages: String(waiting),
          ApproximateNumberOfMessagesNotVisible: String(inFlight),
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: 'local-dead-letters',
            maxReceiveCount: MAX_RECEIVES,
          }),
        },
      };
    },
  };
  const router = Router();
  router.post(/.*/, text({ type: 'application/x-amz-json-1.0' }), async (request, response, next) => {
    const [service, operation = ''] = (request.get('x-amz-target') ?? '').split('.');
    if (service !== 'AmazonSQS') return void next();
    const call = calls[operation];
    response.type('application/x-amz-json-1.0');
    if (!call) {
      const message = `${operation} is not part of this simulator.`;
      return void response
        .status(400)
        .send(JSON.stringify({ __type: 'com.amazonaws.sqs#UnsupportedOperation', message }));
    }
    response.send(JSON.stringify(await call(JSON.parse(request.body || '{}'))));
  });
  return router;
}
