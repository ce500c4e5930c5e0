/**
 * What SES tells later: events of mails, by their tags. An event with a recipient's tag proves that the mail went out, so
 * it settles doubt; and a stream of events that goes on proves that a missing event means something.
 */
import { z } from 'zod';
import { type ChunkRef, type Ledger, UnknownChunkError } from '../ledger/index.js';
import { type MailOutcome, type Runs, UnknownRunError } from '../run/index.js';
import { Groups, type RedisConnection } from '../runtime/index.js';
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

/** Of a chunk: what a script gets. */
const EVENTS_AT_ONCE = 500;

/** An event of a recipient of ours. */
interface RecipientEvent {
  ref: ChunkRef;
  position: number;
  /** What it says of the mail; undefined: nothing that is counted. */
  outcome: MailOutcome | undefined;
  /** When SES accepted the mail, ms since the epoch. */
  mailAt: number;
  messageId: string;
}

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
  /** By chunk: events come as mails went out, many of the same chunk at a time. Each may be repeated. */
  readonly #chunks = new Groups((events: RecipientEvent[]) => this.#takeTogether(events), {
    most: EVENTS_AT_ONCE,
  });
  /** When the mails of all events were accepted. */
  readonly #marks = new Groups((mailsAt: number[]) => this.#remember(mailsAt));

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
    const { mail } = event;
    const mailAt = Date.parse(mail.timestamp);
    const outcome = await this.#settle(event, mailAt);
    // Not before: that a later mail's event is here proves that an earlier one has none, so those that came with it are taken in first.
    await this.#marks.add('all', mailAt);
    return outcome;
  }

  async #settle(event: SesEvent, mailAt: number): Promise<EventOutcome> {
    const { eventType, mail } = event;
    const at = Position.safeParse({
      run: mail.tags[TAGS.run]?.[0],
      chunk: mail.tags[TAGS.chunk]?.[0],
      position: mail.tags[TAGS.position]?.[0],
    });
    if (!at.success || !PROVES_ACCEPTANCE.has(eventType)) return 'foreign';
    const { run, chunk, position } = at.data;
    const ref = { run, chunk };
    const outcome = outcomeOf(event);
    const { messageId } = mail;
    try {
      // Independent of each other, and each may be repeated: when one fails, the event comes again.
      const [isNews] = await Promise.all([
        this.#chunks.add(`${run}/${chunk}`, { ref, position, outcome, mailAt, messageId }),
        this.#services.feedback.take(ref, position, outcome, event),
      ]);
      return isNews ? 'settled' : 'known';
    } catch (error) {
      // The tags of another installation on the same topic, or of a run whose retention is over.
      if (error instanceof UnknownChunkError || error instanceof UnknownRunError) return 'foreign';
      throw error;
    }
  }

  /**
   * When the first and the latest mail of which an event came were accepted, ms since the epoch by SES's clock: the time
   * in which the stream was alive. Undefined: no event has come yet.
   */
  async aliveBetween(): Promise<{ firstMailAt: number; latestMailAt: number } | undefined> {
    const [first, latest] = await this.#services.redis.mget(this.#firstKey, this.#latestKey);
    return first && latest ? { firstMailAt: Number(first), latestMailAt: Number(latest) } : undefined;
  }

  /** Of one chunk. @returns whether each event was news. */
  async #takeTogether(events: RecipientEvent[]): Promise<boolean[]> {
    const { ref } = events[0] as RecipientEvent;
    const [proven, counted] = await Promise.all([this.#prove(ref, events), this.#count(ref, events)]);
    // The first one that says it of somebody is the news.
    return events.map((event) => proven.delete(event.position) || counted.has(event));
  }

  /**
   * Whoever was in doubt has got the mail. Events do not come again, so what they have proven must not be lost.
   * @returns the positions of which that is news.
   */
  async #prove(ref: ChunkRef, events: readonly RecipientEvent[]): Promise<Set<number>> {
    const { ledger, runs } = this.#services;
    const { positions, tally } = await ledger.prove(
      ref,
      events.map(({ position, mailAt: at, messageId: detail }) => ({ position, at, detail })),
    );
    // Also when it was known: who has written that down may have died over it.
    await ledger.confirm(ref, tally.version);
    if (positions.length > 0) await runs.tally(ref.run, ref.chunk, tally);
    return new Set(positions);
  }

  /** @returns those that are news. */
  async #count(ref: ChunkRef, events: readonly RecipientEvent[]): Promise<Set<RecipientEvent>> {
    const { outcomes, reputation } = this.#services;
    const marks = events.flatMap((event) =>
      event.outcome ? [{ ...event, outcome: event.outcome, event }] : [],
    );
    if (marks.length === 0) return new Set();
    const isNews = await outcomes.mark(ref, marks);
    const news = marks.filter((_, index) => isNews[index]);
    await reputation.count(news.map(({ outcome }) => outcome));
    return new Set(news.map(({ event }) => event));
  }

  /** Events come in any order; only a later one moves the mark. Two at the same time may lose one step, not more. */
  async #remember(mailsAt: number[]): Promise<undefined[]> {
    const { redis } = this.#services;
    const mailAt = Math.max(...mailsAt);
    const alive = await this.aliveBetween();
    if (!alive) await redis.set(this.#firstKey, mailAt, 'NX');
    if (mailAt > (alive?.latestMailAt ?? 0)) await redis.set(this.#latestKey, mailAt);
    return mailsAt.map(() => undefined);
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
