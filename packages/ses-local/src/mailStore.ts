/**
 * The accepted mails, in memory, which stays bounded: whole for the newest, a line of text each (id, time, recipients, tags)
 * for those before, and of all of them the numbers by which duplicates are found.
 */
import { simulatorMailbox } from './address.js';
import type { Email } from './email.js';
import { OldMails } from './oldMails.js';
import { type Budget, RUN_TAG, type RunNumbers, RunTally } from './runTally.js';
import { SharedContents } from './sharedContents.js';

export interface StoredMail {
  messageId: string;
  acceptedAt: Date;
  to: string[];
  tags: Record<string, string>;
  /** Gone, when enough newer ones have come. */
  email?: Email;
}

export interface MailReport extends RunNumbers {
  /** Mails to Amazon's mailbox simulator; they are in no other number. */
  simulator: number;
  byRun: Record<string, RunNumbers>;
  /** Identities that came more than once, the first hundred. */
  duplicated: { id: string; times: number }[];
}

export interface MailQuery {
  /** Part of a recipient's address. */
  to?: string;
  tag?: { name: string; value: string };
  /** Part of a recipient's address, or of a tag's value: what a person types. */
  text?: string;
  limit: number;
  /** Number of matching mails to pass over, newest first. */
  skip?: number;
  /** Only those older than this mail. */
  after?: string;
}

export interface MailStoreConfig {
  /** Mails that are kept whole. */
  contentLimit: number;
  /** Mails of which at least a line is kept; also how many identities are compared at the most. */
  mailLimit: number;
}

const DUPLICATES_LISTED = 100;

export class MailStore {
  readonly #config: MailStoreConfig;
  /** Newest last. A map finds by id, and gives up its oldest first. */
  #newest = new Map<string, StoredMail>();
  readonly #contents = new SharedContents();
  #old: OldMails;
  #tallies = new Map<string, RunTally>();
  #budget: Budget;
  #duplicated = new Map<string, { run: string; times: number }>();
  #simulator = 0;

  constructor(config: MailStoreConfig) {
    this.#config = config;
    this.#old = new OldMails(config.mailLimit - config.contentLimit);
    this.#budget = { left: config.mailLimit * 2 };
  }

  add(mail: StoredMail & { email: Email }): void {
    this.#contents.share(mail.email.request);
    this.#newest.set(mail.messageId, mail);
    if (this.#newest.size > this.#config.contentLimit) this.#ageOldest();
    if (mail.to.every((address) => simulatorMailbox(address) !== undefined)) this.#simulator += 1;
    else this.#count(mail.email);
  }

  clear(): void {
    this.#contents.clear();
    this.#newest = new Map();
    this.#old = new OldMails(this.#config.mailLimit - this.#config.contentLimit);
    this.#tallies = new Map();
    this.#budget = { left: this.#config.mailLimit * 2 };
    this.#duplicated = new Map();
    this.#simulator = 0;
  }

  get(messageId: string): StoredMail | undefined {
    return this.#newest.get(messageId) ?? this.#old.get(messageId);
  }

  /** Newest first. */
  find({ limit, skip = 0, after, ...filter }: MailQuery): StoredMail[] {
    const matches = matcher(filter);
    const found: StoredMail[] = [];
    let isPast = after === undefined;
    let toSkip = skip;
    for (const mail of this.#newestFirst(filter.to)) {
      if (found.length >= limit) break;
      if (!isPast) isPast = mail.messageId === after;
      else if (matches(mail) && toSkip-- <= 0) found.push(mail);
    }
    return found;
  }

  /** @param onlyRun default: all. */
  report(onlyRun?: string): MailReport {
    const runs = [...this.#tallies].filter(([run]) => onlyRun === undefined || run === onlyRun);
    const byRun = Object.fromEntries(runs.map(([run, tally]) => [run, tally.numbers]));
    const sum = (name: keyof RunNumbers) =>
      Object.values(byRun).reduce((total, numbers) => total + numbers[name], 0);
    return {
      messages: sum('messages'),
      recipients: sum('recipients'),
      duplicates: sum('duplicates'),
      addresses: sum('addresses'),
      unchecked: sum('unchecked'),
      simulator: this.#simulator,
      byRun,
      duplicated: [...this.#duplicated]
        .filter(([, { run }]) => onlyRun === undefined || run === onlyRun)
        .slice(0, DUPLICATES_LISTED)
        .map(([id, { times }]) => ({ id, times })),
    };
  }

  /** How often each chunk and position of a run came. */
  positions(run: string): Iterable<[chunk: number, position: number, times: number]> {
    return this.#tallies.get(run)?.positions() ?? [];
  }

  #count({ recipients, tags, sendonceId }: Email): void {
    const run = tags[RUN_TAG] ?? '';
    let tally = this.#tallies.get(run);
    if (!tally) {
      tally = new RunTally(run, this.#budget);
      this.#tallies.set(run, tally);
    }
    const { id, times } = tally.add({ recipients, tags, ...(sendonceId !== undefined && { sendonceId }) });
    const isListed = this.#duplicated.has(id) || this.#duplicated.size < DUPLICATES_LISTED * 100;
    if (times > 1 && isListed) this.#duplicated.set(id, { run, times });
  }

  #ageOldest(): void {
    for (const [messageId, { email: _, ...rest }] of this.#newest) {
      this.#newest.delete(messageId);
      this.#old.push(rest);
      return;
    }
  }

  *#newestFirst(to: string | undefined): Generator<StoredMail> {
    yield* [...this.#newest.values()].reverse();
    yield* this.#old.newestFirst(to);
  }
}

function matcher({ to, tag, text }: Pick<MailQuery, 'to' | 'tag' | 'text'>): (mail: StoredMail) => boolean {
  const wantedTo = to?.toLowerCase();
  const wanted = text?.toLowerCase();
  const isTo = (mail: StoredMail, part: string) =>
    mail.to.some((address) => address.toLowerCase().includes(part));
  return (mail) => {
    if (wantedTo && !isTo(mail, wantedTo)) return false;
    if (tag && mail.tags[tag.name] !== tag.value) return false;
    if (!wanted || isTo(mail, wanted)) return true;
    return Object.values(mail.tags).some((value) => value.toLowerCase().includes(wanted));
  };
}
