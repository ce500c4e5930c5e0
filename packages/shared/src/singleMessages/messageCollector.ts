/**
 * Collects messages that come at nearly the same time, so that they share a chunk, a durable write and a job. While batches
 * are being written the next ones grow: a slow Redis makes them larger, not more.
 */
import type { CampaignSnapshot } from '../campaign/index.js';
import { CHUNK_SIZE } from '../ledger/index.js';
import type { PlacedMessage, WaitingMessage } from './messagePlacer.js';

/** A message waits so long for others, ms. */
const LINGER_MS = 3;
/** Batches that are written at a time. One could leave Redis idle; more would be smaller. */
const BATCHES_AT_ONCE = 2;

type Place = (
  template: CampaignSnapshot,
  messages: readonly WaitingMessage[],
) => Promise<(PlacedMessage | undefined)[]>;

interface Entry {
  template: CampaignSnapshot;
  message: WaitingMessage;
  resolve(placed: PlacedMessage | undefined): void;
  reject(error: unknown): void;
}

export class MessageCollector {
  readonly #place: Place;
  #waiting: Entry[] = [];
  #batches = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param place see `MessagePlacer.place`. */
  constructor(place: Place) {
    this.#place = place;
  }

  /**
   * Once in the ledger; undefined: the key is somebody else's meanwhile. Whoever calls sees to it that no id comes twice at
   * the same time, and that not too many wait.
   */
  collect(template: CampaignSnapshot, message: WaitingMessage): Promise<PlacedMessage | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ template, message, resolve, reject });
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#write();
      }, LINGER_MS);
    });
  }

  #write(): void {
    while (this.#batches < BATCHES_AT_ONCE && this.#waiting.length > 0) {
      this.#batches += 1;
      void this.#writeBatch(this.#takeBatch()).finally(() => {
        this.#batches -= 1;
        this.#write();
      });
    }
  }

  /** Messages of the version of a template that has waited longest. */
  #takeBatch(): Entry[] {
    const batch: Entry[] = [];
    const others: Entry[] = [];
    const [first] = this.#waiting;
    for (const entry of this.#waiting) {
      const { id, hash } = entry.template;
      const fits = id === first?.template.id && hash === first.template.hash && batch.length < CHUNK_SIZE;
      (fits ? batch : others).push(entry);
    }
    this.#waiting = others;
    return batch;
  }

  async #writeBatch(batch: Entry[]): Promise<void> {
    const [first] = batch;
    if (!first) return;
    try {
      const messages = batch.map(({ message }) => message);
      const placed = await this.#place(first.template, messages);
      for (const [index, { resolve }] of batch.entries()) resolve(placed[index]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
