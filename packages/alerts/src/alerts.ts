/**
 * Takes occurrences in, gathers them for a moment, counts them where all processes count, and sends what is to be told.
 * Nothing here throws, blocks or logs an error: an alert that can't be sent must never cause another one.
 */
import { type AlertMail, composeAlert } from './alertMail.js';
import { type AlertStore, MemoryStore } from './alertStore.js';
import { CHANNELS, type Channel } from './channels.js';
import {
  type AlertState,
  type Batch,
  type Condition,
  type Counted,
  confirm,
  fail,
  INTERVALS_MS,
  type Limits,
  note,
  type Occurrence,
  setConditions,
  take,
} from './rules.js';
import { makeScrubber } from './scrub.js';

/** So many that come together cost one look at Redis, ms. */
const GATHER_MS = 500;
/** How often it is looked whether something is to be told that came earlier, ms. */
const LOOK_EVERY_MS = 15_000;
/** A Redis that does not answer is taken for one that is away, ms. */
const STORE_TIMEOUT_MS = 2_000;
/** Kinds gathered at a time; what an attacker makes up must not fill the memory. */
const MAX_GATHERED = 200;
/** More mails than this at a time are a mistake of ours. */
const MAX_MAILS_A_LOOK = 20;

const OUTCOMES = ['sent', 'failed'] as const;
type Outcome = (typeof OUTCOMES)[number];

export interface AlertsServices {
  /** The first that takes the alert has it; the others are for when it does not. */
  channels: readonly Channel[];
  /** Default: this process is on its own. */
  store?: AlertStore;
  /** Told when an alert could not be sent; it must not alert. */
  onUndelivered?: (reason: string) => void;
  now?: () => number;
}

export interface AlertsConfig {
  /** Begins every subject. Default: `[Alert] `. */
  subjectPrefix?: string;
  /** Default: 10. */
  mailsPerHour?: number;
  /** How long a kind is not told again after its first, second… mail, ms. */
  intervalsMs?: readonly number[];
  /** What paths of pages are under. */
  pagesUrl?: string;
  /** Where this process is, for the mail: its name, host, version. */
  source: string;
}

export class Alerts {
  readonly #services: AlertsServices;
  readonly #config: AlertsConfig;
  readonly #limits: Limits;
  readonly #alone = new MemoryStore();
  readonly #now: () => number;
  readonly #scrubber = makeScrubber();
  readonly #attempts = new Map<string, number>();
  #gathered = new Map<string, Counted>();
  #looking: Promise<void> = Promise.resolve();
  #gathering: NodeJS.Timeout | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(services: AlertsServices, config: AlertsConfig) {
    this.#services = services;
    this.#config = config;
    this.#now = services.now ?? Date.now;
    this.#limits = {
      mailsPerHour: config.mailsPerHour ?? 10,
      intervalsMs: config.intervalsMs ?? INTERVALS_MS,
    };
    this.#timer = setInterval(() => void this.flush(), LOOK_EVERY_MS).unref();
  }

  /** How often each channel has been tried, for metrics. */
  attempts(): { channel: Channel['name']; outcome: Outcome; times: number }[] {
    return CHANNELS.flatMap((channel) =>
      OUTCOMES.map((outcome) => ({
        channel,
        outcome,
        times: this.#attempts.get(`${channel} ${outcome}`) ?? 0,
      })),
    );
  }

  get source(): string {
    return this.#config.source;
  }

  /** Something happened. Returns at once. */
  take(occurrence: Occurrence): void {
    const at = this.#now();
    const isFull = this.#gathered.size >= MAX_GATHERED && !this.#gathered.has(occurrence.fingerprint);
    const key = isFull ? 'further' : occurrence.fingerprint;
    const known = this.#gathered.get(key) ?? { occurrence, count: 0, firstAt: at, lastAt: at };
    this.#gathered.set(key, {
      ...known,
      occurrence: { ...occurrence, fingerprint: key },
      count: known.count + 1,
      lastAt: at,
    });
    this.#gathering ??= setTimeout(() => void this.flush(), GATHER_MS);
    this.#gathering.unref();
  }

  /** What is wrong for a time: all there is now. What was told before and is not there any more is told as resolved. */
  async setConditions(conditions: readonly Condition[]): Promise<void> {
    const { source } = this.#config;
    const change = (state: AlertState) => setConditions(state, conditions, { now: this.#now(), source });
    // While Redis is away nobody knows what is wrong there.
    await this.#update(this.#services.store ?? this.#alone, change).catch(() => undefined);
    await this.flush();
  }

  /** Counts what was gathered, and sends what is to be told now. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#looking = this.#looking.then(() => this.#look()).catch(() => undefined);
    await this.#looking;
  }

  /** Sends what is left, for `timeoutMs` at the most. */
  async close(timeoutMs = 2_000): Promise<void> {
    clearInterval(this.#timer);
    await Promise.race([this.flush(), new Promise((resolve) => void setTimeout(resolve, timeoutMs).unref())]);
  }

  /** One alert through every channel, to see whether they work. */
  async test(mail: AlertMail): Promise<{ channel: Channel['name']; error?: string }[]> {
    const subject = `${this.#config.subjectPrefix ?? ''}${mail.subject}`;
    return Promise.all(
      this.#services.channels.map(async (channel) => {
        const error = await this.#attempt(channel, { ...mail, subject });
        return { channel: channel.name, ...(error !== undefined && { error }) };
      }),
    );
  }

  async #look(): Promise<void> {
    const gathered = [...this.#gathered.values()];
    this.#gathered = new Map();
    const store = await this.#count(gathered);
    for (let mails = 0; mails < MAX_MAILS_A_LOOK; mails++) {
      const batch = await this.#update(store, (state) => take(state, this.#now(), this.#limits));
      if (!batch) return;
      await this.#tell(store, batch);
    }
  }

  /** @returns where they were counted: with all processes, or here while Redis is away. */
  async #count(gathered: readonly Counted[]): Promise<AlertStore> {
    const { store } = this.#services;
    const add = (to: AlertStore, all: readonly Counted[]): Promise<void> =>
      this.#update(to, (state) => {
        for (const { occurrence, ...times } of all) note(state, occurrence, times);
      });
    try {
      if (store) {
        await add(store, [...gathered, ...this.#alone.untold()]);
        this.#alone.clear();
        return store;
      }
    } catch {
      // Told all the same, from here.
    }
    await add(this.#alone, gathered);
    return this.#alone;
  }

  async #update<T>(store: AlertStore, change: (state: AlertState) => T): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const given = new AbortController();
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        given.abort();
        reject(new Error('Redis does not answer.'));
      }, STORE_TIMEOUT_MS);
    });
    return Promise.race([store.update(change, given.signal), late]).finally(() => clearTimeout(timer));
  }

  async #tell(store: AlertStore, batch: Batch): Promise<void> {
    const { subjectPrefix: prefix = '[Alert] ', pagesUrl } = this.#config;
    const mail = composeAlert(batch, { prefix, ...(pagesUrl && { pagesUrl }) });
    const isSent = await this.#send(mail);
    await this.#update(store, (state) =>
      isSent ? confirm(state, batch, this.#now(), this.#limits) : fail(state, batch, this.#now()),
    );
  }

  async #send(mail: AlertMail): Promise<boolean> {
    const reasons: string[] = [];
    for (const channel of this.#services.channels) {
      const why = reasons.length > 0 ? `\nNot sent otherwise: ${reasons.join('; ')}\n` : '';
      const error = await this.#attempt(channel, { ...mail, text: mail.text + why });
      if (error === undefined) return true;
      reasons.push(`${channel.name}: ${error}`);
    }
    this.#services.onUndelivered?.(reasons.join('; ') || 'there is no way to administrators');
    return false;
  }

  /** @returns why it did not go. */
  async #attempt(channel: Channel, mail: AlertMail): Promise<string | undefined> {
    try {
      await channel.send(mail);
      this.#countAttempt(channel.name, 'sent');
      return undefined;
    } catch (error) {
      this.#countAttempt(channel.name, 'failed');
      // SES and mail servers name addresses in what they refuse, and this goes to the next channel and into logs.
      return this.#scrubber.text(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  }

  #countAttempt(channel: Channel['name'], outcome: Outcome): void {
    const key = `${channel} ${outcome}`;
    this.#attempts.set(key, (this.#attempts.get(key) ?? 0) + 1);
  }
}
