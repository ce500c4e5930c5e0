/**
 * Single messages: one mail to one person, when a program asks for it. The same claims, fence, doubts, suppressions and rate as
 * in campaigns, because a message is a recipient of a run like any other (messageRuns.ts), in chunks that are added while the
 * run is open (messagePlacer.ts).
 *
 * A request is answered when its message is durable. The same key is the same message, whichever dashboard is asked and
 * whatever died in between: a key leads to one place, and only one chunk can ever be there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { addressKey, parseRecipientAddress } from '../audience/index.js';
import type { CampaignSnapshot } from '../campaign/index.js';
import { readHold } from '../continuity/index.js';
import {
  assertDurable,
  awaitDurability,
  ClaimBarrier,
  Ledger,
  type RecipientState,
} from '../ledger/index.js';
import type { LinkPages } from '../links/index.js';
import type { Queues } from '../queue/index.js';
import type { Runs } from '../run/index.js';
import type { Clock, Logger, RedisConnection, Service } from '../runtime/index.js';
import type { SuppressionList } from '../suppression/index.js';
import { MessageCollector } from './messageCollector.js';
import { MessagePlacer, type PlacedMessage, type WaitingMessage } from './messagePlacer.js';
import { type MessageRecord, MessageRecords, messageId } from './messageRecords.js';
import { MessageRuns } from './messageRuns.js';
import {
  fingerprintOf,
  type MessageContent,
  type MessageTemplates,
  UnfitMessageError,
} from './messageTemplates.js';

/** Requests that are under way, at the most, and what they hold. */
const MOST_REQUESTS = 10_000;
const MOST_BYTES = 32 * 1_024 * 1_024;
/** A request is answered after this long, ms, if only with "not known". */
const PATIENCE_MS = 10_000;
/** Whoever holds a key has so long to bring the message into the ledger; then its holder is taken for dead, ms. */
const TAKE_OVER_AFTER_MS = 1_000;
const LOOK_EVERY_MS = 50;

export interface MessageRequest extends MessageContent {
  /** Who asks: keys of different clients have nothing to do with each other. */
  client: string;
  idempotencyKey: string;
}

export interface AcceptedMessage {
  record: MessageRecord;
  state: RecipientState;
  /** The key was used before, and the message was there. */
  replayed: boolean;
}

/** The key stands for something else. */
export class MessageMismatchError extends Error {
  override readonly name = 'MessageMismatchError';
}

/** The key stands for a message that the ledger does not know any more. */
export class ForgottenMessageError extends Error {
  override readonly name = 'ForgottenMessageError';
}

/** Nothing is known to have been accepted; the same request again does no harm. */
export class BusyError extends Error {
  override readonly name = 'BusyError';
}

export interface SingleMessagesServices {
  clock: Clock;
  linkPages: Pick<LinkPages, 'publish'>;
  logger: Logger;
  queues: Pick<Queues, 'messages'>;
  redis: RedisConnection;
  runs: Runs;
  suppressions: SuppressionList;
  templates: Pick<MessageTemplates, 'fit'>;
}

export interface SingleMessagesConfig {
  prefix: string;
  /** `JOURNAL_RETENTION_DAYS`, ms: as long as a message's id is known, its key is. */
  journalRetentionMs: number;
  /** `LEDGER_RETENTION_DAYS`, ms. */
  ledgerRetentionMs: number;
  /** Of Redis, see `assertDurable`. */
  durability: { allowsVolatile: boolean; minReplicas: number | undefined };
  /** Default 1000. */
  takeOverAfterMs?: number;
  /** Requests that are under way in this process, at the most. Default 10,000. */
  mostRequests?: number;
}

interface Opened {
  barrier: ClaimBarrier | undefined;
  collector: MessageCollector;
  ledger: Ledger;
}

export class SingleMessages implements Service {
  readonly name = 'single messages';
  readonly #services: SingleMessagesServices;
  readonly #config: SingleMessagesConfig;
  readonly #records: MessageRecords;
  /** For looking only. */
  readonly #ledger: Ledger;
  readonly #underWay = new Map<string, { fingerprint: string; answer: Promise<AcceptedMessage> }>();
  #requests = 0;
  #bytes = 0;
  #opening: Promise<Opened> | undefined;

  constructor(services: SingleMessagesServices, config: SingleMessagesConfig) {
    this.#services = services;
    this.#config = config;
    this.#ledger = new Ledger({ redis: services.redis, prefix: config.prefix });
    const retentionMs = Math.min(config.journalRetentionMs, config.ledgerRetentionMs);
    this.#records = new MessageRecords(services, { prefix: config.prefix, retentionMs });
  }

  /**
   * Returns when the message is in the ledger, durably.
   * @throws {MessageMismatchError} {ForgottenMessageError} {BusyError}; what is wrong with it: see `MessageTemplates.fit`.
   */
  async accept(request: MessageRequest): Promise<AcceptedMessage> {
    const fingerprint = fingerprintOf(request);
    const id = messageId(request.client, request.idempotencyKey);
    const bytes = JSON.stringify(request.data).length;
    const { mostRequests = MOST_REQUESTS } = this.#config;
    if (this.#requests >= mostRequests || this.#bytes + bytes > MOST_BYTES)
      throw new BusyError('More messages wait than can be taken in.');
    this.#requests += 1;
    this.#bytes += bytes;
    const answer = this.#shared(request, id, fingerprint).finally(() => {
      // Counted to the end, also when nobody waits for it any more: that is what takes memory.
      this.#requests -= 1;
      this.#bytes -= bytes;
    });
    return withPatience(answer);
  }

  /** A message that was accepted; undefined: nothing was, under this key. */
  async find(
    client: string,
    idempotencyKey: string,
  ): Promise<{ record: MessageRecord; state: RecipientState } | undefined> {
    const record = await this.#records.find(messageId(client, idempotencyKey));
    if (!record) return undefined;
    const states = await this.#ledger.states(record.place);
    const state = states?.[record.place.position];
    return state && { record, state };
  }

  async stop(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.barrier?.stop();
  }

  /** Whoever comes with a key that is under way here gets the same answer. */
  #shared(request: MessageRequest, id: string, fingerprint: string): Promise<AcceptedMessage> {
    const first = this.#underWay.get(id);
    if (first) {
      assertSame(fingerprint, first.fingerprint);
      return first.answer.then((answer) => ({ ...answer, replayed: true }));
    }
    const answer = this.#settle(request, id, fingerprint).finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, { fingerprint, answer });
    return answer;
  }

  /** Asks, and has the message placed where nobody has it, until it stands. */
  async #settle(request: MessageRequest, id: string, fingerprint: string): Promise<AcceptedMessage> {
    const { takeOverAfterMs = TAKE_OVER_AFTER_MS } = this.#config;
    const { collector, ledger } = await this.#open();
    const startedAt = performance.now();
    let template: CampaignSnapshot | undefined;
    for (;;) {
      const waitedMs = performance.now() - startedAt;
      if (waitedMs > PATIENCE_MS) throw new BusyError('It is not known yet what became of the message.');
      const record = await this.#records.find(id);
      if (record) assertSame(fingerprint, record.fingerprint);
      const states = record && (await ledger.states(record.place));
      const state = record && states?.[record.place.position];
      if (state) {
        // It may have been created a moment ago, by somebody who waits for the same.
        await ledger.confirm(record.place, 1);
        return { record, state, replayed: true };
      }
      if (record && !states) {
        this.#assertRemembered(record);
        if (waitedMs < takeOverAfterMs) await sleep(LOOK_EVERY_MS);
        else await ledger.bury(record.place);
        continue;
      }
      template ??= await this.#services.templates.fit(request);
      const message = { ...toWaiting(request, id, fingerprint), leaves: record?.place };
      const placed = await collector.collect(template, message);
      if (placed) return { ...placed, replayed: false };
    }
  }

  /** A chunk that is gone is not one that never was: another mail under the key would be the second. */
  #assertRemembered({ acceptedAt }: MessageRecord): void {
    // Half of the retention, so that no clock's error lets a message begin again.
    if (this.#services.clock.now() - acceptedAt > this.#config.ledgerRetentionMs / 2)
      throw new ForgottenMessageError('The message of this key is not known any more.');
  }

  /** When the first message comes, and not at the start: a dashboard starts while Redis is away. */
  #open(): Promise<Opened> {
    this.#opening ??= this.#openNow().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openNow(): Promise<Opened> {
    const { redis } = this.#services;
    const { durability: asked, prefix } = this.#config;
    const durability = await awaitDurability(redis, asked.minReplicas);
    assertDurable(durability, asked);
    const barrier = durability.safeguard && new ClaimBarrier({ redis }, durability.safeguard);
    const ledger = new Ledger({ redis, prefix, barrier });
    const placer = new MessagePlacer({
      ...this.#services,
      ledger,
      messageRuns: new MessageRuns(this.#services, { prefix }),
      records: this.#records,
      // One server writes, and copies, in order: it can't keep a chunk and lose a record from before it.
      barrier: redis instanceof Cluster ? barrier : undefined,
    });
    const collector = new MessageCollector((template, messages) => this.#place(placer, template, messages));
    return { barrier, collector, ledger };
  }

  async #place(
    placer: MessagePlacer,
    template: CampaignSnapshot,
    messages: readonly WaitingMessage[],
  ): Promise<(PlacedMessage | undefined)[]> {
    const hold = await readHold(this.#services.redis, this.#config.prefix);
    // Keys may have been forgotten with everything else.
    if (hold) throw new BusyError(`Nothing is taken in until an operator decides: ${hold.reason}.`);
    return placer.place(template, messages);
  }
}

function toWaiting({ to, data }: MessageRequest, id: string, fingerprint: string): WaitingMessage {
  const parsed = parseRecipientAddress(to);
  if ('invalid' in parsed) throw new UnfitMessageError([{ pointer: '/to', detail: parsed.invalid }]);
  const { address } = parsed;
  return { id, fingerprint, address, addressKey: addressKey(address), fields: data };
}

function assertSame(asked: string, standing: string): void {
  if (asked !== standing)
    throw new MessageMismatchError('The key stands for another template, address or data.');
}

async function withPatience<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new BusyError('Redis is slow: it is not known yet what became of the message.')),
      PATIENCE_MS,
    );
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
