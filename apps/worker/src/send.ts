/**
 * Sends a chunk, micro-batch by micro-batch: reserve places in the account's rate, claim, send, settle.
 *
 * After a crash: whoever was queued is sent by the next worker that gets the chunk's job; whoever was claimed stays claimed
 * until the fence has passed, and is in doubt then. At most one micro-batch a chunk is claimed at a time.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChunkRef, Claim, Ledger, Recipient, Settlement, Tally } from '@sendonce/shared/ledger';
import { ClaimNotDurableError, UnknownChunkError } from '@sendonce/shared/ledger';
import { TemplateError } from '@sendonce/shared/message';
import { type Gate, type Runs, UnknownRunError } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import {
  type MailSender,
  makeSendEmailInput,
  type Remedy,
  type Reservation,
  type SendRate,
} from '@sendonce/shared/ses';
import type { Outcome } from './outcomes.js';
import type { PinnedRun, PinnedRuns } from './pinnedRuns.js';
import { RefusalRow } from './refusals.js';

/** Recipients a claim, at the most: what a killed worker leaves in doubt. */
const BATCH_SIZE = 100;
/** A micro-batch takes about this long at the account's rate, at the most, ms; a slow account gets small claims. */
const BATCH_MS = 2_000;
/** A request is not sent when its claim is older than this, ms. Only thrift: what makes it safe is the signature. */
const STALE_CLAIM_MS = 120_000;

export interface SendServices {
  clock: Clock;
  ledger: Ledger;
  logger: Logger;
  pinnedRuns: PinnedRuns;
  rate: SendRate;
  runs: Runs;
  sender: MailSender;
}

export interface SendConfig {
  configurationSet?: string;
}

/** Called after each micro-batch, for Bull Board's progress bar. */
export type OnProgress = (tally: Tally) => Promise<void>;

interface Batch {
  ref: ChunkRef;
  run: PinnedRun;
  recipients: Recipient[];
  claim: Claim;
  pace: Reservation;
}

interface BatchResult {
  settlements: Settlement[];
  /** The gravest of what the answers ask for, with its reason. */
  remedy: Remedy;
  reason: string;
}

export class ChunkSender {
  readonly #services: SendServices;
  readonly #config: SendConfig;

  constructor(services: SendServices, config: SendConfig) {
    this.#services = services;
    this.#config = config;
  }

  /** @param signal this process stops: what is under way is settled, what is not sent yet is left to others. */
  async run(ref: ChunkRef, signal: AbortSignal, onProgress: OnProgress): Promise<Outcome> {
    try {
      return await this.#sendChunk(ref, signal, onProgress);
    } catch (error) {
      if (error instanceof ClaimNotDurableError) return this.#pause(ref.run, error.message);
      if (error instanceof UnknownRunError || error instanceof UnknownChunkError) return 'expired';
      throw error;
    }
  }

  async #sendChunk(ref: ChunkRef, signal: AbortSignal, onProgress: OnProgress): Promise<Outcome> {
    const { ledger, pinnedRuns, runs, rate } = this.#services;
    let tally = await ledger.tally(ref);
    let gate = await runs.tally(ref.run, ref.chunk, tally);
    if (tally.queued === 0) return 'done';
    const run = await pinnedRuns.get(ref.run);
    const recipients = await ledger.recipients(ref);
    while (tally.queued > 0) {
      if (gate !== 'open') return outcomeOf(gate);
      const size = Math.min(
        tally.queued,
        BATCH_SIZE,
        Math.max(1, Math.floor(((await rate.ratePerSecond()) * BATCH_MS) / 1_000)),
      );
      const pace = await rate.reserve(size);
      if (pace.waitMs > 0) await sleep(pace.waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return 'interrupted';
      const claim = await ledger.claim(ref, randomUUID(), size);
      if (claim.positions.length === 0) return 'done';
      ({ gate, tally } = await this.#sendBatch({ ref, run, recipients, claim, pace }, signal));
      await onProgress(tally);
    }
    return 'done';
  }

  async #sendBatch(batch: Batch, signal: AbortSignal): Promise<{ gate: Gate; tally: Tally }> {
    const { ledger, logger, rate, runs } = this.#services;
    const { ref, claim } = batch;
    // That others see the claim in the run's numbers is worth a command; that we wait for it is not.
    const announced = runs.tally(ref.run, ref.chunk, claim.tally);
    const { settlements, remedy, reason } = await this.#sendClaimed(batch, signal);
    await announced;
    const row = new RefusalRow(ref, settlements);
    const settled = await row.pauseIfTooLong(this.#services, batch.run.recipients);
    const { tally, refused } = await ledger.settle(ref, claim.id, settled);
    if (refused.length > 0)
      logger.warn(
        { ...ref, claim: claim.id, refused: refused.length },
        'claim had run out, answers came too late',
      );
    if (remedy === 'slow') await rate.pushBack();
    if (remedy === 'pause') await this.#pause(ref.run, reason);
    return { gate: await runs.tally(ref.run, ref.chunk, tally, row.isEndedByAccept), tally };
  }

  async #pause(run: string, reason: string): Promise<Outcome> {
    const { logger, runs } = this.#services;
    if (await runs.pause(run, reason)) logger.error({ run, reason }, 'run paused');
    return 'paused';
  }

  /** One request a claimed recipient, spaced by the rate. After an answer that concerns everybody, nobody else is tried. */
  async #sendClaimed(
    { ref, run, recipients, claim, pace }: Batch,
    signal: AbortSignal,
  ): Promise<BatchResult> {
    const { clock, sender } = this.#services;
    const result: BatchResult = { settlements: [], remedy: 'none', reason: '' };
    const startedAt = clock.now();
    const settle = (position: number, event: Settlement['event'], detail: string) =>
      result.settlements.push({ position, event, at: clock.now(), detail });

    const sendOne = async (position: number, index: number): Promise<void> => {
      const waitMs = startedAt + index * pace.intervalMs - clock.now();
      if (waitMs >= 1) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || result.remedy !== 'none') return void settle(position, 'release', 'not tried');
      if (clock.now() - startedAt > STALE_CLAIM_MS)
        return void settle(position, 'release', 'the claim is stale');
      const rendered = this.#render(ref, run, recipients, position);
      if ('error' in rendered) return void settle(position, 'reject', rendered.error);
      const answer = await sender.send(rendered.mail, claim.claimedAt);
      switch (answer.outcome) {
        case 'accepted':
          return void settle(position, 'accept', answer.messageId);
        case 'rejected':
          return void settle(position, 'reject', answer.reason);
        case 'unknown':
          return void settle(position, 'doubt', answer.reason);
        case 'released':
          if (answer.remedy === 'pause' || result.remedy === 'none')
            Object.assign(result, { remedy: answer.remedy, reason: answer.reason });
          return void settle(position, 'release', answer.reason);
      }
    };
    await Promise.all(claim.positions.map(sendOne));
    result.settlements.sort((a, b) => a.position - b.position);
    return result;
  }

  #render(
    { run, chunk }: ChunkRef,
    { snapshot, template }: PinnedRun,
    recipients: Recipient[],
    position: number,
  ) {
    const recipient = recipients[position];
    if (!recipient) throw new Error(`${run}/${chunk} has no recipient at position ${position}.`);
    try {
      const { from, reply_to, list_id } = snapshot.definition;
      const { configurationSet } = this.#config;
      const mail = makeSendEmailInput(
        {
          from,
          to: recipient.address,
          listId: list_id,
          ...template.render(recipient),
          ...(reply_to && { replyTo: reply_to }),
          ...(configurationSet && { configurationSet }),
        },
        { run, chunk, position },
      );
      return { mail };
    } catch (error) {
      if (error instanceof TemplateError) return { error: error.message };
      throw error;
    }
  }
}

function outcomeOf(gate: Exclude<Gate, 'open'>): Outcome {
  switch (gate) {
    case 'paused':
      return 'paused';
    case 'cancelled':
      return 'cancelled';
    case 'foreign':
      return 'expired';
  }
}
