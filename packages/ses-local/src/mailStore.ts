/**
 * The accepted mails, in memory, up to a limit. Of every mail the identity is counted, so that a duplicate is found however
 * long ago the first one was; of the newest the content is kept for the inbox.
 */
import { recipientsOf, type SendEmailRequest } from './sendEmail.js';

export interface StoredMail {
  messageId: string;
  acceptedAt: Date;
  to: string[];
  tags: Record<string, string>;
  request: SendEmailRequest;
}

export interface RunReport {
  messages: number;
  recipients: number;
  duplicates: number;
}

export interface MailReport extends RunReport {
  /** Mails to Amazon's mailbox simulator; they are in no other number. */
  simulator: number;
  byRun: Record<string, RunReport>;
  /** Identities that came more than once, the first hundred. */
  duplicated: { id: string; times: number }[];
  /** Mails whose content is not kept any more. */
  dropped: number;
}

export interface MailQuery {
  to?: string;
  tag?: { name: string; value: string };
  limit: number;
  /** Number of matching mails to pass over, newest first. */
  skip: number;
}

const DUPLICATES_LISTED = 100;

/** Tags that Sendonce puts on its mails. */
const RUN_TAG = 'sendonce_run';
const CHUNK_TAG = 'sendonce_chunk';
const POSITION_TAG = 'sendonce_position';

export class MailStore {
  readonly #contentLimit: number;
  #mails: StoredMail[] = [];
  #simulator = 0;
  #accepted = 0;
  /** Run → identity → how often. */
  readonly #counts = new Map<string, Map<string, number>>();

  constructor({ contentLimit }: { contentLimit: number }) {
    this.#contentLimit = contentLimit;
  }

  add(mail: StoredMail): void {
    this.#accepted += 1;
    this.#mails.push(mail);
    // Dropped in one go, so that a full inbox does not shift a long array for every mail.
    if (this.#mails.length > this.#contentLimit * 1.1) this.#mails = this.#mails.slice(-this.#contentLimit);
    if (isSimulator(mail)) this.#simulator += 1;
    else this.#count(mail);
  }

  clear(): void {
    this.#mails = [];
    this.#simulator = 0;
    this.#accepted = 0;
    this.#counts.clear();
  }

  get(messageId: string): StoredMail | undefined {
    return this.#mails.find((mail) => mail.messageId === messageId);
  }

  /** Newest first. */
  find({ to, tag, limit, skip }: MailQuery): StoredMail[] {
    const wanted = to?.toLowerCase();
    const found: StoredMail[] = [];
    let toSkip = skip;
    for (let index = this.#mails.length - 1; index >= 0 && found.length < limit; index--) {
      const mail = this.#mails[index] as StoredMail;
      if (wanted && !mail.to.some((address) => address.toLowerCase().includes(wanted))) continue;
      if (tag && mail.tags[tag.name] !== tag.value) continue;
      if (toSkip-- <= 0) found.push(mail);
    }
    return found;
  }

  report(): MailReport {
    const byRun = Object.fromEntries([...this.#counts].map(([run, counts]) => [run, summarise(counts)]));
    const sum = (name: keyof RunReport) => Object.values(byRun).reduce((total, run) => total + run[name], 0);
    const duplicated = [...this.#counts.values()]
      .flatMap((counts) => [...counts].filter(([, times]) => times > 1))
      .slice(0, DUPLICATES_LISTED)
      .map(([id, times]) => ({ id, times }));
    return {
      messages: sum('messages'),
      recipients: sum('recipients'),
      duplicates: sum('duplicates'),
      simulator: this.#simulator,
      byRun,
      duplicated,
      dropped: this.#accepted - this.#mails.length,
    };
  }

  /** How often each `chunk/position` of a run was accepted. */
  positions(run: string): Record<string, number> {
    const counts = this.#counts.get(run) ?? new Map<string, number>();
    return Object.fromEntries([...counts].map(([id, times]) => [id.slice(run.length + 1), times]));
  }

  #count({ tags, to, request }: StoredMail): void {
    const run = tags[RUN_TAG] ?? '';
    const counts = this.#counts.get(run) ?? new Map<string, number>();
    this.#counts.set(run, counts);
    const id = run
      ? `${run}/${tags[CHUNK_TAG]}/${tags[POSITION_TAG]}`
      : JSON.stringify([to, request.Content.Simple?.Subject.Data ?? request.Content.Raw?.Data]);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
}

export function tagsOf({ EmailTags }: SendEmailRequest): Record<string, string> {
  return Object.fromEntries(EmailTags.map(({ Name, Value }) => [Name, Value]));
}

export function isSimulator({ request }: Pick<StoredMail, 'request'>): boolean {
  return recipientsOf(request).every((address) => address.endsWith('@simulator.amazonses.com'));
}

function summarise(counts: Map<string, number>): RunReport {
  let messages = 0;
  for (const times of counts.values()) messages += times;
  return { messages, recipients: counts.size, duplicates: messages - counts.size };
}
