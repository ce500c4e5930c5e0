/**
 * Puts a batch of messages into the ledger, each once, wherever anybody dies. In this order:
 *
 * 1. a chunk's number is allotted, to us alone;
 * 2. each message's record is made to say that it is in this chunk; who loses that to somebody else leaves the batch;
 * 3. the chunk is created. Only now are these messages accepted, all at once;
 * 4. its job is added. The reconciler adds it where we die before that.
 *
 * Who dies between 2 and 3 leaves records that lead nowhere. Whoever comes with such a key buries the chunk first (an empty
 * one under its number, which can never become another) and then gives the message a new place: should the holder only have
 * been slow, its own step 3 fails, and it takes its messages elsewhere, as far as they are still its own.
 */
import type { CampaignSnapshot } from '../campaign/index.js';
import {
  type ClaimBarrier,
  encodeRecipients,
  type Ledger,
  type RecipientState,
  STATE_NAMES,
  type Tally,
} from '../ledger/index.js';
import { addMessagesJob, type Queues } from '../queue/index.js';
import type { Runs } from '../run/index.js';
import type { Clock, Logger } from '../runtime/index.js';
import type { SuppressionList } from '../suppression/index.js';
import { isSamePlace, type MessagePlace, type MessageRecord, type MessageRecords } from './messageRecords.js';
import type { MessageRuns } from './messageRuns.js';

/** Chunks that a batch is tried to be put into: others bury them, or take messages away. More is a loop gone wild. */
const CHUNKS_TRIED = 10;

export interface WaitingMessage {
  /** See `messageId`. */
  id: string;
  fingerprint: string;
  /** As it goes into `To:`, and its `addressKey`. */
  address: string;
  addressKey: string;
  fields: Record<string, unknown>;
  /** A place whose chunk was buried, which the message is to leave. */
  leaves?: MessagePlace | undefined;
}

export interface PlacedMessage {
  record: MessageRecord;
  state: RecipientState;
}

export interface MessagePlacerServices {
  clock: Clock;
  /** With the barrier, where Redis's reply alone does not make a write durable. */
  ledger: Ledger;
  logger: Logger;
  messageRuns: MessageRuns;
  queues: Pick<Queues, 'messages'>;
  records: MessageRecords;
  runs: Runs;
  suppressions: SuppressionList;
  /** Where records and chunks are on different servers (Redis Cluster), and replies alone don't make them durable. */
  barrier?: ClaimBarrier | undefined;
}

export class MessagePlacer {
  readonly #services: MessagePlacerServices;

  constructor(services: MessagePlacerServices) {
    this.#services = services;
  }

  /**
   * @param messages of one template, at most CHUNK_SIZE of them, no id twice.
   * @returns in the order of the messages; undefined: its key is somebody else's meanwhile, who has to be asked again.
   * @throws when it is not known whether they were accepted. To try again, with the same key, is safe.
   */
  async place(
    template: CampaignSnapshot,
    messages: readonly WaitingMessage[],
  ): Promise<(PlacedMessage | undefined)[]> {
    const suppressed = await this.#suppressedAmong(template, messages);
    let members = messages.map((message) => ({ message, leaves: message.leaves }));
    for (let tried = 0; tried < CHUNKS_TRIED && members.length > 0; tried++) {
      const ref = await this.#services.messageRuns.allot(template);
      const records = await Promise.all(
        members.map(({ message, leaves }, position) =>
          this.#services.records.put(message.id, { ...ref, position }, message.fingerprint, leaves),
        ),
      );
      const own = members.flatMap(({ message }, position) => {
        const record = records[position];
        const isOwn = record && isSamePlace(record.place, { ...ref, position });
        return isOwn ? [{ message, leaves: record.place, record }] : [];
      });
      // Positions have no gaps: where somebody has left the batch, it goes into another chunk.
      const isWhole = own.length === members.length;
      if (isWhole && (await this.#create(ref, own, suppressed))) {
        const placed = new Map(own.map(({ message, record }) => [message.id, record]));
        return messages.map(({ id }) => {
          const record = placed.get(id);
          return record && { record, state: suppressed.has(id) ? 'suppressed' : 'queued' };
        });
      }
      members = own;
    }
    if (members.length > 0) throw new Error(`Messages of ${template.id} found no chunk.`);
    return messages.map(() => undefined);
  }

  /** Why some of them get nothing, by the message's id. */
  async #suppressedAmong(
    { id: campaign }: CampaignSnapshot,
    messages: readonly WaitingMessage[],
  ): Promise<Map<string, string>> {
    const keys = messages.map(({ addressKey }) => addressKey);
    const found = await this.#services.suppressions.findMany(keys, campaign);
    return new Map([...found].map(([index, { reason }]) => [messages[index]?.id ?? '', reason]));
  }

  /** False: somebody has buried the chunk. */
  async #create(
    ref: { run: string; chunk: number },
    members: readonly { message: WaitingMessage; record: MessageRecord }[],
    suppressed: ReadonlyMap<string, string>,
  ): Promise<boolean> {
    const { barrier, clock, ledger, records } = this.#services;
    // First: a record that a crash takes away after its mail went out would let the key begin anew.
    if (barrier)
      await Promise.all(members.map(({ message, record }) => records.confirm(message.id, record, barrier)));
    const at = clock.now();
    const states = members.map(({ message: { id } }) => (suppressed.has(id) ? 'suppressed' : 'queued'));
    const entries = members.flatMap(({ message: { id } }, position) => {
      const detail = suppressed.get(id);
      return detail === undefined ? [] : [{ position, event: 'suppress' as const, at, detail }];
    });
    const packed = encodeRecipients(members.map(({ message: { address, fields } }) => ({ address, fields })));
    if (!(await ledger.createChunk(ref, packed, states, entries))) {
      // Sent anew by the client after a broken connection, the command meets its own chunk: nobody else fills this number.
      const standing = await ledger.states(ref);
      if (!standing?.length) return false;
    }
    await ledger.confirm(ref, 1);
    await this.#announce(ref, states);
    return true;
  }

  /** What fails here the reconciler makes good: the messages are accepted. */
  async #announce({ run, chunk }: { run: string; chunk: number }, states: readonly RecipientState[]) {
    const { logger, queues, runs } = this.#services;
    const counts = STATE_NAMES.map((state) => [state, states.filter((other) => other === state).length]);
    const tally = { ...Object.fromEntries(counts), version: 1 } as Tally;
    const isWaiting = tally.queued > 0;
    try {
      await Promise.all([
        isWaiting && addMessagesJob(queues.messages, { run, chunk }),
        runs.tally(run, chunk, tally),
      ]);
    } catch (error) {
      logger.warn({ run, chunk, err: error }, 'messages accepted, their job is left to the reconciler');
    }
    // A line a chunk: at info they would hide what an operator wants to read of a day.
    logger.debug({ run, chunk, messages: states.length }, 'messages accepted');
  }
}
