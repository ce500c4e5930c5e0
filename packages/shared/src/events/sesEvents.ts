/**
 * What SES tells later: events of mails, by their tags. An event with a recipient's tag proves that the mail went out, so
 * it settles doubt; and a stream of events that goes on proves that a missing event means something.
 */
import { z } from 'zod';
import { type ChunkRef, type Ledger, UnknownChunkError } from '../ledger/index.js';
import { type MailOutcome, type Runs, UnknownRunError } from '../run/index.js';
import type { RedisConnection } from '../runtime/index.js';
import { TAGS } from '../ses/index.js';
import type { Feedback } from './feedback.js';
import type { MailOutcomes } from './mailOutcomes.js';
import type { ReputationWindow } from './reputation.js';

const Time = z.iso.datetime({ offset: true });
const Recipients = z.array(z.object({ emailAddress: z.string().max(320) })).default([]);

/** Of an event we only need its kind, the mail's time and its tags; of bounces and complaints, whose. https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html */
const SesEvent = z.object({
  eventType: z.string().max(64),
  mail: z.object({
    timestamp: Time,
    messageId: z.string().max(256),
    tags: z.record(z.string(), z.array(z.string().max(256))).default({}),
  }),
  bounce: z
    .object({
      bounceType: z.string().max(64),
      bounceSubType: z.string().max(64).optional(),
      bouncedRecipients: Recipients,
      timestamp: Time.optional(),
    })
    .optional(),
  complaint: z
    .object({
      complaintFeedbackType: z.string().max(64).nullish(),
      complainedRecipients: Recipients,
      timestamp: Time.optional(),
    })
    .optional(),
});

export type SesEvent = z.infer<typeof SesEvent>;

/** Kinds of events that can only come for a mail that SES has accepted. */
const PROVES_ACCEPTANCE = new Set([
  'Send',
  'Delivery',
  'Bounce',
  'Complaint',
  'Reject',
  'DeliveryDelay',
  'Open',
  'Click',
  'Subscription',
]);

/** What an event says of its mail; undefined: nothing that is counted. */
function outcomeOf({ eventType, bounce, complaint }: SesEvent): MailOutcome | undefined {
  switch (eventType) {
    case 'Delivery':
      return 'delivered';
    case 'DeliveryDelay':
      return 'delayed';
    case 'Bounce':
      return bounce?.bounceType === 'Permanent' ? 'bounced' : 'bounced_transient';
    case 'Complaint':
      // Somebody took it out of the junk folder: the opposite of a complaint.
      return complaint?.complaintFeedbackType === 'not-spam' ? undefined : 'complained';
    default:
      return undefined;
  }
}

const Position = z.object({
  run: z.string().regex(/^[A-Za-z0-9_-]{1,256}$/),
  chunk: z.coerce.number().int().min(0).max(10_000_000),
  position: z.coerce.number().int().min(0).max(1_000_000),
});

/** What came of an event: `settled` was news, `known` changed nothing, `foreign` is not about a mail of ours. */
export type EventOutcome = 'settled' | 'known' | 'foreign';

/** The body is no SES event. */
export class MalformedEventError extends Error {
  override readonly name = 'MalformedEventError';
}

export interface SesEventServices {
  feedback: Feedback;
  ledger: Ledger;
  outcomes: MailOutcomes;
  redis: RedisConnection;
  reputation: ReputationWindow;
  runs: Runs;
  /** Told of every event that was taken in, for who counts them. */
  onTaken?: (type: string, outcome: EventOutcome) => void;
}

export class SesEvents {
  readonly #services: SesEventServices;
  readonly #latestKey: string;
  readonly #firstKey: string;

  constructor(services: SesEventServices, { prefix }: { prefix: string }) {
    this.#services = services;
    this.#latestKey = `${prefix}:1:{events}:latest-mail-at`;
    this.#firstKey = `${prefix}:1:{events}:first-mail-at`;
  }

  /**
   * Takes an event in; replays and any order are harmless.
   * @param message the `Message` of an SNS notification, verified by the caller.
   * @throws {MalformedEventError}
   */
  async record(message: string): Promise<EventOutcome> {
    const event = parseEvent(message);
    const outcome = await this.#take(event);
    this.#services.onTaken?.(event.eventType, outcome);
    return outcome;
  }

  async #take(event: SesEvent): Promise<EventOutcome> {
    const { eventType, mail } = event;
    await this.#remember(Date.parse(mail.timestamp));
    const at = Position.safeParse({
      run: mail.tags[TAGS.run]?.[0],
      chunk: mail.tags[TAGS.chunk]?.[0],
      position: mail.tags[TAGS.position]?.[0],
    });
    if (!at.success || !PROVES_ACCEPTANCE.has(eventType)) return 'foreign';
    return this.#settle(at.data, event);
  }

  /**
   * When the first and the latest mail of which an event came were accepted, ms since the epoch by SES's clock: the time
   * in which the stream was alive. Undefined: no event has come yet.
   */
  async aliveBetween(): Promise<{ firstMailAt: number; latestMailAt: number } | undefined> {
    const [first, latest] = await this.#services.redis.mget(this.#firstKey, this.#latestKey);
    return first && latest ? { firstMailAt: Number(first), latestMailAt: Number(latest) } : undefined;
  }

  async #settle({ run, chunk, position }: z.infer<typeof Position>, event: SesEvent): Promise<EventOutcome> {
    const ref = { run, chunk };
    const outcome = outcomeOf(event);
    try {
      // Independent of each other, and each may be repeated: when one fails, the event comes again.
      const [isProof, isNews] = await Promise.all([
        this.#prove(ref, position, event.mail),
        this.#count(ref, position, outcome),
        this.#services.feedback.take(ref, position, outcome, event),
      ]);
      return isProof || isNews ? 'settled' : 'known';
    } catch (error) {
      // The tags of another installation on the same topic, or of a run whose retention is over.
      if (error instanceof UnknownChunkError || error instanceof UnknownRunError) return 'foreign';
      throw error;
    }
  }

  /** Whoever was in doubt has got the mail. The event does not come again, so what it has proven must not be lost. */
  async #prove(
    ref: ChunkRef,
    position: number,
    { timestamp, messageId }: SesEvent['mail'],
  ): Promise<boolean> {
    const { ledger, runs } = this.#services;
    const note = { at: Date.parse(timestamp), detail: messageId };
    const { positions, tally } = await ledger.move(ref, 'evidence', [position], note);
    // Also when it was known: who has written that down may have died over it.
    await ledger.confirm(ref, tally.version);
    if (positions.length > 0) await runs.tally(ref.run, ref.chunk, tally);
    return positions.length > 0;
  }

  async #count(ref: ChunkRef, position: number, outcome: MailOutcome | undefined): Promise<boolean> {
    if (!outcome) return false;
    const { outcomes, reputation } = this.#services;
    const isNews = await outcomes.mark(ref, position, outcome);
    if (isNews) await reputation.count(outcome);
    return isNews;
  }

  /** Events come in any order; only a later one moves the mark. Two at the same time may lose one step, not more. */
  async #remember(mailAt: number): Promise<void> {
    const { redis } = this.#services;
    const alive = await this.aliveBetween();
    if (!alive) await redis.set(this.#firstKey, mailAt, 'NX');
    if (mailAt > (alive?.latestMailAt ?? 0)) await redis.set(this.#latestKey, mailAt);
  }
}

function parseEvent(message: string): SesEvent {
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch (error) {
    throw new MalformedEventError('The message is not JSON.', { cause: error });
  }
  const event = SesEvent.safeParse(parsed);
  if (!event.success) throw new MalformedEventError('The message is no SES event.', { cause: event.error });
  return event.data;
}
