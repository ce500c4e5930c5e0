/**
 * What keeps the promise when a process has died: every few seconds one worker looks at all open runs and sees to it that
 * freezing goes on, queued recipients have a job, silent claims become doubts once the fence has passed, proven absences
 * are sent again, and ended runs are closed. All of it may be repeated and may be done by two at once.
 */
import { randomUUID } from 'node:crypto';
import { NO_ALERT } from '@sendonce/alerts';
import type { Continuity } from '@sendonce/shared/continuity';
import { resumeRun } from '@sendonce/shared/control';
import type { Reputation, ReputationWindow, SesEvents } from '@sendonce/shared/events';
import { type Ledger, type Tally, UnknownChunkError } from '@sendonce/shared/ledger';
import { addFreezeJob, ensureChunkJobs, type Queues } from '@sendonce/shared/queue';
import type { RunRecord, Runs } from '@sendonce/shared/run';
import type { Clock, Logger, RedisConnection, Service } from '@sendonce/shared/runtime';
import { leftOf, type SesAccount } from '@sendonce/shared/ses';
import { COLLECT_MS } from '@sendonce/shared/singleMessages';
import type { AbsenceProof } from './absence.js';
import { pauseRun } from './pauses.js';
import type { PinnedRuns } from './pinnedRuns.js';

/** Between two looks, ms; oftener where the fence is short (demo, chaos). */
const RECONCILE_EVERY_MAX_MS = 5_000;
const LOOKS_A_FENCE = 8;
/** While numbers change, somebody is at it, and jobs need no look; ms. */
const QUIET_AFTER_MS = 10_000;
/** A run of single messages is never quiet; so many of its chunks are looked after at a time, the oldest first. */
const MESSAGE_CHUNKS_A_LOOK = 500;

export interface ReconcilerServices {
  continuity: Pick<Continuity, 'mayWork' | 'releasedAt'>;
  absence: AbsenceProof;
  account: SesAccount;
  clock: Clock;
  events: SesEvents;
  ledger: Ledger;
  logger: Logger;
  pinnedRuns: PinnedRuns;
  queues: Queues;
  redis: RedisConnection;
  reputation: ReputationWindow;
  runs: Runs;
}

export interface ReconcilerConfig {
  prefix: string;
  /** After a claim and this, silence means something; ms. */
  fenceMs: number;
  journalRetentionMs: number;
  ledgerRetentionMs: number;
}

export class Reconciler implements Service {
  readonly name = 'reconciler';
  readonly #services: ReconcilerServices;
  readonly #config: ReconcilerConfig;
  readonly #me = randomUUID();
  #timer: NodeJS.Timeout | undefined;
  #current: Promise<void> = Promise.resolve();
  #isStopped = false;
  #standing: Reputation['verdict'] = 'good';

  constructor(services: ReconcilerServices, config: ReconcilerConfig) {
    this.#services = services;
    this.#config = config;
  }

  start(): void {
    if (this.#timer || this.#isStopped) return;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#current;
  }

  #schedule(): void {
    // A little different in every worker, so that they don't all ask for the turn at once.
    const delayMs = this.#everyMs * (0.8 + 0.4 * Math.random());
    this.#timer = setTimeout(() => {
      this.#current = this.#takeTurn().finally(() => {
        if (!this.#isStopped) this.#schedule();
      });
    }, delayMs);
  }

  get #everyMs(): number {
    return Math.min(RECONCILE_EVERY_MAX_MS, this.#config.fenceMs / LOOKS_A_FENCE);
  }

  async #takeTurn(): Promise<void> {
    const { continuity, logger, redis } = this.#services;
    try {
      if (!(await continuity.mayWork())) return;
      // Not a lock that anything leans on: it only saves the others the same work.
      const turn = `${this.#config.prefix}:1:reconciler`;
      const isMine = await redis.set(turn, this.#me, 'PX', Math.ceil(this.#everyMs / 2), 'NX');
      if (isMine) await this.runOnce();
    } catch (error) {
      logger.error({ err: error }, 'reconciling failed, next look in a few seconds');
    }
  }

  /** One look at all open runs. A run that fails does not keep the others waiting. */
  async runOnce(): Promise<void> {
    const { logger, reputation, runs } = this.#services;
    const standing = await reputation.read();
    this.#warnOnce(standing);
    for (const run of await runs.open()) {
      if (this.#isStopped) return;
      await this.#reconcileRun(run, standing).catch((error: unknown) =>
        logger.error({ run, err: error }, 'reconciling a run failed'),
      );
    }
  }

  #warnOnce({ verdict, reason }: Reputation): void {
    const isWorse = verdict !== 'good' && this.#standing === 'good';
    if (isWorse)
      this.#services.logger.error({ reason, ...NO_ALERT }, "the account's reputation is in danger");
    this.#standing = verdict;
  }

  async #reconcileRun(run: string, standing: Reputation): Promise<void> {
    const { queues, runs } = this.#services;
    const record = await runs.find(run);
    if (!record) return runs.close(run, 0);
    if (record.finishedAt) return this.#close(record);
    if (record.status === 'paused') await this.#tryAgain(record);
    else if (standing.verdict === 'pause' && record.numbers.queued > 0 && !record.resumedByOperatorAt)
      // An operator who resumes it knows why it has paused.
      await pauseRun(this.#services, run, { cause: 'reputation', reason: standing.reason });
    if (record.origin === 'messages') await this.#sealIfDue(record);
    else if (!record.frozenAt) {
      if (record.status === 'freezing') await addFreezeJob(queues.runs, run);
      if (record.status === 'cancelled') await runs.close(run, this.#config.ledgerRetentionMs);
      return;
    }
    await this.#reconcileChunks(record);
  }

  /** A run of single messages takes in no more after its time, or once it is cancelled. */
  async #sealIfDue({ id, createdAt, cancelledAt, frozenAt }: RunRecord): Promise<void> {
    const { clock, runs } = this.#services;
    const isDue = clock.now() - createdAt.getTime() > COLLECT_MS;
    if (frozenAt || cancelledAt || isDue) await runs.seal(id);
  }

  /** What paused for a reason that may mend itself is tried again, unless the account says that it is still so. */
  async #tryAgain({ id: run, pauseCause, retryAt }: RunRecord): Promise<void> {
    const { account, clock, logger, queues, runs } = this.#services;
    if (!retryAt || retryAt.getTime() > clock.now()) return;
    const state = await account.state();
    if (state?.closed) return;
    if (pauseCause === 'quota' && state?.quota && leftOf(state.quota) === 0) return;
    if (await resumeRun({ queues, runs }, run, 'itself'))
      logger.info({ run, cause: pauseCause }, 'run tried again');
  }

  async #reconcileChunks(record: RunRecord): Promise<void> {
    const { clock, queues, runs } = this.#services;
    const isQuiet = clock.now() - (record.touchedAt?.getTime() ?? 0) > QUIET_AFTER_MS;
    const tallies = await runs.chunkTallies(record.id);
    const isOpen = record.status !== 'paused' && record.status !== 'cancelled';
    const waiting: number[] = [];
    for (let chunk = 0; chunk < record.chunks; chunk++) {
      if (this.#isStopped) return;
      const known = tallies.get(chunk);
      const tally = known && isSettled(known) ? known : await this.#settleIfThere(record, chunk);
      if (tally && tally.queued > 0) waiting.push(chunk);
    }
    if (!isOpen) return;
    if (record.origin === 'messages')
      await ensureChunkJobs(queues, record, waiting.slice(0, MESSAGE_CHUNKS_A_LOOK));
    else if (isQuiet) await ensureChunkJobs(queues, record, waiting);
  }

  /** Undefined: nobody has created the chunk. Single messages have such gaps, see `Runs.allotChunk`. */
  async #settleIfThere(record: RunRecord, chunk: number): Promise<Tally | undefined> {
    try {
      return await this.#settleChunk(record, chunk);
    } catch (error) {
      if (!(error instanceof UnknownChunkError && record.origin === 'messages')) throw error;
      return undefined;
    }
  }

  /** Silent claims to doubts, proven absences to queued, and whoever is still queued in a cancelled run to cancelled. */
  async #settleChunk(record: RunRecord, chunk: number): Promise<Tally> {
    const { clock, ledger, logger, runs } = this.#services;
    const ref = { run: record.id, chunk };
    const expired = await ledger.expireClaims(ref, this.#config.fenceMs);
    if (expired.positions.length > 0)
      logger.warn({ ...ref, in_doubt: expired.positions.length }, 'claims without an answer are in doubt');
    let { tally } = expired;
    if (record.status === 'cancelled' && tally.queued > 0) {
      ({ tally } = await ledger.move(ref, 'cancel', 'all', { at: clock.now(), detail: '' }));
    }
    if (tally.in_doubt > 0) tally = await this.#resendAbsent(record, chunk, tally);
    await runs.tally(record.id, chunk, tally);
    return tally;
  }

  /** With `in_doubt: resend`, doubts whose mail has provably not gone out go back to queued. */
  async #resendAbsent(record: RunRecord, chunk: number, tally: Tally): Promise<Tally> {
    const { absence, clock, continuity, ledger, logger, pinnedRuns, queues } = this.#services;
    const { snapshot } = await pinnedRuns.get(record.id);
    if (snapshot.definition.in_doubt !== 'resend' || record.status === 'cancelled') return tally;
    const ref = { run: record.id, chunk };
    const doubts = (await ledger.doubts(ref)).filter(({ claimedAt }) => claimedAt > continuity.releasedAt);
    const absent = await absence.absentAmong(doubts, snapshot);
    if (absent.length === 0) return tally;
    // Should one of them have been claimed again meanwhile, its new claim is younger than these, and it stays.
    const claimedBefore = Math.max(...absent.map(({ claimedAt }) => claimedAt));
    const positions = absent.map(({ position }) => position);
    const moved = await ledger.move(ref, 'resend', positions, {
      at: clock.now(),
      detail: 'absence proven',
      claimedBefore,
    });
    logger.info({ ...ref, resent: moved.positions.length }, 'no event came for these doubts: sending again');
    if (record.status !== 'paused') await ensureChunkJobs(queues, record, [chunk]);
    return moved.tally;
  }

  /**
   * Closes a finished run: the numbers are taken from the ledger once more, so that nobody is missed who was moved by a
   * process that died before it could say so.
   */
  async #close(record: RunRecord): Promise<void> {
    const { ledger, logger, runs } = this.#services;
    const { journalRetentionMs: journalMs, ledgerRetentionMs: ledgerMs } = this.#config;
    for (let chunk = 0; chunk < record.chunks; chunk++) {
      const ref = { run: record.id, chunk };
      // From here on nobody may fill a gap: the run would not be looked at any more.
      if (record.origin === 'messages') await ledger.bury(ref);
      const tally = await ledger.tally(ref);
      await runs.tally(record.id, chunk, tally);
      if (!isSettled(tally)) return;
      await ledger.compact(ref, { journalMs, ledgerMs });
    }
    if (!(await runs.get(record.id)).finishedAt) return;
    await runs.close(record.id, ledgerMs);
    logger.info({ run: record.id, ...record.numbers }, 'run closed');
  }
}

/** Nothing is left to do in such a chunk. */
function isSettled({ queued, claimed, in_doubt }: Tally): boolean {
  return queued === 0 && claimed === 0 && in_doubt === 0;
}
