/**
 * SES's event publishing: of each accepted mail with a configuration set, what became of it, to the topic. Here the faults of
 * events are carried out; what is published late, twice or not at all was always told truly in the mail store.
 */
import type { Faults } from './faults.js';
import type { StoredMail } from './mailStore.js';
import { eventJson, eventsOf, type SesEvent } from './sesEvents.js';
import type { SnsTopic } from './snsTopic.js';

/** Between a mail's events: Send is told at once, Delivery when the other side has taken it. */
const STEP_MS = 20;
/** A reordered event comes after the next one, or after this. */
const HELD_BACK_MS = 500;

type Topic = Pick<SnsTopic, 'hasSubscribers' | 'publish'>;

export class EventPublisher {
  readonly #faults: Faults;
  readonly #topic: Topic;
  readonly #timers = new Set<NodeJS.Timeout>();
  #heldBack: SesEvent | undefined;

  constructor({ faults, topic }: { faults: Faults; topic: Topic }) {
    this.#faults = faults;
    this.#topic = topic;
  }

  publish(mail: StoredMail): void {
    const outcome = this.#faults.strike('outcome', mail.to)?.fault;
    if (!this.#topic.hasSubscribers) return;
    for (const [index, event] of eventsOf(mail, outcome).entries()) this.#emit(mail, event, index * STEP_MS);
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #emit(mail: StoredMail, event: SesEvent, delayMs: number): void {
    const strike = this.#faults.strike('event', mail.to);
    switch (strike?.fault) {
      case undefined:
        this.#later(delayMs, () => this.#tell(event));
        break;
      case 'events-lost':
        break;
      case 'events-late':
        this.#later(delayMs + strike.delayMs, () => this.#tell(event));
        break;
      case 'events-doubled':
        this.#later(delayMs, () => this.#tell(event, 2));
        break;
      case 'events-reordered':
        this.#later(delayMs, () => this.#holdBack(event));
        break;
    }
  }

  #tell(event: SesEvent, times = 1): void {
    this.#topic.publish(() => eventJson(event), times);
    const heldBack = this.#heldBack;
    this.#heldBack = undefined;
    // A step later: notifications that are published at once may overtake each other on their way.
    if (heldBack) this.#later(STEP_MS, () => this.#topic.publish(() => eventJson(heldBack)));
  }

  #holdBack(event: SesEvent): void {
    if (this.#heldBack) {
      this.#tell(event);
      return;
    }
    this.#heldBack = event;
    this.#later(HELD_BACK_MS, () => {
      if (this.#heldBack !== event) return;
      this.#heldBack = undefined;
      this.#tell(event);
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
