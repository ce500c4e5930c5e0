/**
 * The client: a method an operation. What starts something takes an idempotency key, and with it every request may be repeated,
 * by the client itself when no answer came, and by whoever calls it, as often and from as many processes as they like.
 */
import type { Message, Operations, Report, Run, Suppression, SuppressionEntry } from './api.js';
import { SendonceError } from './sendonceError.js';
import { type Answer, type Input, type OperationId, Transport } from './transport.js';

export interface SendonceOptions {
  /** Where the dashboard is, as `https://sendonce.example.com`. */
  url: string;
  /** As `sendonce api-key` has printed it. */
  key: string;
  /** Default: the platform's. */
  fetch?: typeof fetch | undefined;
  /** How long an attempt waits for an answer, ms. Default 10 000. */
  timeoutMs?: number | undefined;
  /** Attempts after the first. Default 5; their waits are 15.5 s at the most, unless the API asks for more. */
  retries?: number | undefined;
}

export interface CallOptions {
  /** Ends the call, also while it waits for its next attempt. What was asked for may have happened. */
  signal?: AbortSignal | undefined;
}

export interface Keyed extends CallOptions {
  /** New for everything that is to happen, the same when it is asked for again: `monthly-reminder-2026-12`, `welcome-1001`. */
  idempotencyKey: string;
}

export interface Begun {
  /** False: it was there before, and nothing happens twice. Also when only the first answer was lost. */
  isNew: boolean;
}

export type Campaigns = Answer<'listCampaigns'>;
export type NewMessage = Input<'sendMessage'>['body'];
export type NewSuppression = Input<'addSuppressions'>['body']['entries'][number];
export type SuppressionsReport = Answer<'addSuppressions'>;

/** Entries a request. */
const SUPPRESSIONS_AT_ONCE = 100;

/** In which states of a run a lost answer to the operation was a yes. */
const DONE_WHEN = {
  pauseRun: ['paused'],
  resumeRun: ['freezing', 'collecting', 'sending', 'settling', 'finished'],
  cancelRun: ['cancelled'],
} as const satisfies Partial<Record<OperationId, readonly Run['status'][]>>;

/**
 * Keeps nothing but its options: one for the whole process, or one a call.
 *
 * All methods throw `SendonceError` when the API refuses or does not answer, and the signal's reason when it is aborted.
 */
export class Sendonce {
  readonly #transport: Transport;

  /** @throws {TypeError} when the url or the key can't be used. */
  constructor({ url, key, fetch = globalThis.fetch, timeoutMs = 10_000, retries = 5 }: SendonceOptions) {
    this.#transport = new Transport({ url, key, fetch, timeoutMs, retries });
  }

  /** Needs the scope `read`. */
  campaigns({ signal }: CallOptions = {}): Promise<Campaigns> {
    return this.#body('listCampaigns', {}, signal);
  }

  /**
   * Starts a run, which begins at once. Needs the scope `runs`.
   * @param options.scheduledAt the occurrence that the run is for; default: now. Not in the future.
   */
  async startRun(
    campaign: string,
    { idempotencyKey, scheduledAt, signal }: Keyed & { scheduledAt?: Date | string | undefined },
  ): Promise<Run & Begun> {
    const scheduled_at = scheduledAt instanceof Date ? scheduledAt.toISOString() : scheduledAt;
    const { status, body } = await this.#transport.ask(
      'startRun',
      { path: { campaign }, headers: { 'Idempotency-Key': idempotencyKey }, body: { scheduled_at } },
      signal,
    );
    return { ...body, isNew: status === 201 };
  }

  /** Needs the scope `read`, as all that looks at runs. */
  run(id: string, { signal }: CallOptions = {}): Promise<Run> {
    return this.#body('getRun', { path: { run: id } }, signal);
  }

  /**
   * All runs, the newest scheduled time first; pages are asked for as they are needed.
   * @param options.pageSize 1 to 100. @param options.before only those that come after this one.
   */
  async *runs({
    campaign,
    before,
    pageSize,
    signal,
  }: CallOptions & {
    campaign?: string | undefined;
    before?: string | undefined;
    pageSize?: number | undefined;
  } = {}): AsyncGenerator<Run, void, undefined> {
    let next = before;
    do {
      const page: Answer<'listRuns'> = await this.#body(
        'listRuns',
        { query: { campaign, before: next, limit: pageSize } },
        signal,
      );
      yield* page.runs;
      next = page.before;
    } while (next !== undefined);
  }

  /** What came of a run: also clicks. */
  report(id: string, { signal }: CallOptions = {}): Promise<Report> {
    return this.#body('getRunReport', { path: { run: id } }, signal);
  }

  /**
   * Workers claim nobody any more within a moment. Needs the scope `runs`, as `resume` and `cancel`. 409: the run is not in a
   * state for it; `problem.run` of the error is the run.
   * @param options.reason for operators, without addresses.
   */
  pause(id: string, { reason, signal }: CallOptions & { reason?: string | undefined } = {}): Promise<Run> {
    return this.#control('pauseRun', { path: { run: id }, body: { reason } }, signal);
  }

  /** Also goes on with a run that paused by itself. */
  resume(id: string, { signal }: CallOptions = {}): Promise<Run> {
    return this.#control('resumeRun', { path: { run: id } }, signal);
  }

  /** For good: who is queued gets nothing. @param options.reason for operators, without addresses. */
  cancel(id: string, { reason, signal }: CallOptions & { reason?: string | undefined } = {}): Promise<Run> {
    return this.#control('cancelRun', { path: { run: id }, body: { reason } }, signal);
  }

  /**
   * Sends one mail to one person, at once. When this returns it is durable. Needs the scope `messages`.
   * @param message.template a campaign that says `audience: messages`; `data` are its merge fields.
   */
  async sendMessage({
    template,
    to,
    data,
    idempotencyKey,
    signal,
  }: NewMessage & Keyed): Promise<Message & Begun> {
    const { status, body } = await this.#transport.ask(
      'sendMessage',
      { headers: { 'Idempotency-Key': idempotencyKey }, body: { template, to, data } },
      signal,
    );
    return { ...body, isNew: status === 202 };
  }

  /** The message as it is now, by its idempotency key. */
  message(idempotencyKey: string, { signal }: CallOptions = {}): Promise<Message> {
    return this.#body('getMessage', { path: { key: idempotencyKey } }, signal);
  }

  /**
   * Puts addresses on the suppression list, 100 a request; may be repeated, also when a later request failed. In the body and
   * not in the path, which proxies write into logs. Needs the scope `suppressions`, as all that is about the list.
   */
  async suppress(
    entries: NewSuppression | readonly NewSuppression[],
    { signal }: CallOptions = {},
  ): Promise<SuppressionsReport> {
    const all = [entries].flat();
    const sum: SuppressionsReport = { added: 0, known: 0, strengthened: 0 };
    for (let start = 0; start < all.length; start += SUPPRESSIONS_AT_ONCE) {
      const body = { entries: all.slice(start, start + SUPPRESSIONS_AT_ONCE) };
      const report = await this.#body('addSuppressions', { body }, signal);
      for (const what of ['added', 'known', 'strengthened'] as const) sum[what] += report[what];
    }
    return sum;
  }

  /**
   * Takes an entry off the list: the one for any campaign, or for the one that is named. One that is not there is no error, since
   * a lost answer could not be told from it.
   */
  async unsuppress(
    address: string,
    { campaign, signal }: CallOptions & { campaign?: string | undefined } = {},
  ): Promise<void> {
    await this.#body('deleteSuppression', { path: { address }, query: { campaign } }, signal).catch(
      unlessUnknown,
    );
  }

  /** @returns what the list has of an address; empty: it gets mail. */
  async suppressed(address: string, { signal }: CallOptions = {}): Promise<SuppressionEntry[]> {
    const found = await this.#body('getSuppression', { path: { address } }, signal).catch(unlessUnknown);
    return found?.entries ?? [];
  }

  /** The whole list, as it comes. */
  suppressions({ signal }: CallOptions = {}): AsyncGenerator<Suppression, void, undefined> {
    return this.#transport.lines('listSuppressions', {}, signal);
  }

  async #body<Id extends OperationId>(
    id: Id,
    input: Input<Id>,
    signal: AbortSignal | undefined,
  ): Promise<Operations[Id]['answer']> {
    return (await this.#transport.ask(id, input, signal)).body;
  }

  /** When an earlier attempt had no answer, "nothing to do" may be what it did. */
  async #control<Id extends keyof typeof DONE_WHEN>(
    id: Id,
    input: Input<Id>,
    signal: AbortSignal | undefined,
  ): Promise<Run> {
    try {
      return await this.#body(id, input, signal);
    } catch (error) {
      const run = error instanceof SendonceError && error.attempts > 1 ? error.problem?.run : undefined;
      const states: readonly Run['status'][] = DONE_WHEN[id];
      if (run && states.includes(run.status)) return run;
      throw error;
    }
  }
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof SendonceError && error.type === 'unknown-suppression') return undefined;
  throw error;
}
