/**
 * Sends a chunk, micro-batch by micro-batch: reserve places in the account's rate and quota, claim, look who is suppressed
 * by now or has had enough, send, settle. While one micro-batch is sent and SES's answers to it are on their way, the next
 * one is claimed, and sent after it: else the stream would stand still for as long as Redis and SES take to answer.
 *
 * After a crash: whoever was queued is sent by the next worker that gets the chunk's job; whoever was claimed stays claimed
 * until the fence has passed, and is in doubt then. At most two micro-batches a chunk are claimed at a time.
 */
import { randomUUID } from 'node:crypto';
import { addressKey } from '@sendonce/shared/audience';
import type { FrequencyCaps } from '@sendonce/shared/caps';
import type { Continuity } from '@sendonce/shared/continuity';
import type { ChunkRef, Claim, Ledger, Recipient, Settlement, Tally } from '@sendonce/shared/ledger';
import { NotDurableError, OlderDataError, UnknownChunkError } from '@sendonce/shared/ledger';
import { hasEarlierTurn, type Queues } from '@sendonce/shared/queue';
import { type Gate, type Pause, type Runs, UnknownRunError } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import type { MailSender, RateKind, Remedy, Reservation, SendRate, SesAccount } from '@sendonce/shared/ses';
import type { LateSuppressions, SuppressionList } from '@sendonce/shared/suppression';
import { cappedAmong, giveBackRejected } from './capped.js';
import { ChunkReports } from './chunkReports.js';
import { ClaimedVersions } from './claimedVersions.js';
import type { MailRenderer } from './mailRenderer.js';
import type { Outcome } from './outcomes.js';
import { pauseRun } from './pauses.js';
import type { PinnedRun, PinnedRuns } from './pinnedRuns.js';
import { Places, pauseUntil } from './places.js';
import { RefusalRow } from './refusals.js';
import { Turns } from './turns.js';

/** A micro-batch takes about this long at the account's rate, at the most, ms; a slow account gets small claims. */
const BATCH_MS = 500;
/** Recipients a claim: what a killed worker leaves in doubt. */
const BATCH_SIZE = 100;
/** Faster accounts have more in a claim, as much as they send in so many ms, at the most: there each command to Redis is for more. */
const FAST_BATCH_MS = 20;
const FAST_BATCH_SIZE = 250;
/** Places are reserved for so long ahead, ms, and for a micro-batch at least. */
const RESERVED_MS = 100;
/** A request is not sent when its claim is older than this, ms. Only thrift: what makes it safe is the signature. */
const STALE_CLAIM_MS = 120_000;
/** A claim is made so long before its first place, so that it stands when the place comes, ms. */
const CLAIM_AHEAD_MS = 15;
/** A chunk is at it for so long before another run's gets its turn, ms. */
const TURN_MS = 10_000;
/** SES can't be reached: until the next try, ms. */
const UNREACHABLE_MS = 2_000;
/** Others may still be sending on the quota's last places; a pause would keep them from it, ms. */
const LAST_PLACES_MS = 4_000;

export interface SendServices {
  caps: FrequencyCaps;
  clock: Clock;
  continuity: Pick<Continuity, 'mayWork' | 'releasedAt' | 'suspect'>;
  lateSuppressions: LateSuppressions;
  ledger: Ledger;
  account: SesAccount;
  logger: Logger;
  pinnedRuns: PinnedRuns;
  queues: Queues;
  rate: SendRate;
  renderer: MailRenderer;
  runs: Runs;
  sender: MailSender;
  suppressions: SuppressionList;
}

export interface SendConfig {
  /** Why links to unsubscribe can't work; then only campaigns that have none are sent. */
  linkObstacle?: string;
}

export interface SendOptions {
  /** This process stops: what is under way is settled, what is not sent yet is left to others. */
  signal: AbortSignal;
  /** Of the chunk's job. */
  priority: number;
  /** Called a few times a second at the most, for Bull Board's progress bar. */
  onProgress(tally: Tally): Promise<void>;
}

interface Chunk {
  ref: ChunkRef;
  run: PinnedRun;
  recipients: Recipient[];
  reports: ChunkReports;
  signal: AbortSignal;
}

interface ClaimedChunk extends Chunk {
  claim: Claim;
  /** Who has come to the suppression list until the claim. */
  news: Promise<void>;
}

interface Batch extends ClaimedChunk {
  /** Who of the claim gets nothing, by position, with the reason. */
  barred: Promise<Map<number, string>>;
  pace: Reservation;
  /** The micro-batch before, unless it is settled. */
  before: StartedBatch | undefined;
}

interface BatchResult {
  settlements: Settlement[];
  /** The gravest of what the answers ask for, with its reason. */
  remedy: Remedy;
  reason: string;
  /** The refusal for which the run was paused. */
  pausedFor?: string | undefined;
  /** What kept somebody from being sent and from being settled: a mistake of ours, or Redis that did not answer. */
  failure?: unknown;
}

/** What is known of a chunk after a micro-batch. */
interface Standing {
  gate: Gate;
  tally: Tally;
}

interface StartedBatch {
  result: BatchResult;
  /** All its requests are out. */
  sent: Promise<unknown>;
  /** All its answers are in the ledger. */
  settled: Promise<Standing>;
}

export class ChunkSender {
  readonly #services: SendServices;
  readonly #config: SendConfig;
  readonly #claimedVersions: ClaimedVersions;
  readonly #turns = new Turns();

  constructor(services: SendServices, config: SendConfig) {
    this.#services = services;
    this.#config = config;
    this.#claimedVersions = new ClaimedVersions(services.continuity);
  }

  async run(ref: ChunkRef, options: SendOptions): Promise<Outcome> {
    try {
      return await this.#sendChunk(ref, options);
    } catch (error) {
      if (error instanceof NotDurableError)
        return this.#pause(ref.run, { cause: 'redis', reason: error.message, retryAt: this.#nextTry });
      if (error instanceof OlderDataError) {
        await this.#services.continuity.suspect();
        // Where a crash may cost a second anyway nothing is held: these data are what there is.
        this.#claimedVersions.forget();
        return 'interrupted';
      }
      if (error instanceof UnknownRunError || error instanceof UnknownChunkError) return 'expired';
      throw error;
    }
  }

  async #sendChunk(ref: ChunkRef, { signal, priority, onProgress }: SendOptions): Promise<Outcome> {
    const { clock, ledger, pinnedRuns, runs } = this.#services;
    const content = ledger.content(ref);
    // Of a chunk that has ended it may be gone.
    content.catch(() => undefined);
    const [tally, gate] = await Promise.all([ledger.tally(ref), runs.gate(ref.run, ref.chunk)]);
    if (tally.queued === 0) {
      // Whoever sent the last of them may have died before it told.
      await runs.tally(ref.run, ref.chunk, tally);
      return 'done';
    }
    if (gate !== 'open') return outcomeOf(gate);
    const { recipients, dueAt } = await content;
    if (dueAt > clock.now()) return { notBefore: dueAt };
    const run = await pinnedRuns.get(ref.run);
    const { linkObstacle } = this.#config;
    if (linkObstacle && run.snapshot.definition.unsubscribe)
      return this.#pause(ref.run, { cause: 'campaign', reason: linkObstacle });
    const reports = new ChunkReports(this.#services, ref, onProgress);
    const underWay: StartedBatch[] = [];
    try {
      const chunk = { ref, run, recipients, reports, signal };
      const outcome = await this.#sendBatches(chunk, tally, priority, underWay);
      if (outcome === 'done') await ledger.archive(ref);
      return outcome;
    } finally {
      // Whatever ends it, what SES has answered is written down.
      await Promise.allSettled(underWay.map(({ settled }) => settled));
      await reports.flush();
    }
  }

  async #sendBatches(
    chunk: Chunk,
    tally: Tally,
    priority: number,
    underWay: StartedBatch[],
  ): Promise<Outcome> {
    const { clock, continuity, queues, rate } = this.#services;
    const { ref, signal } = chunk;
    let standing: Standing = { gate: 'open', tally };
    // Of the last claim: a failover to a replica that has all claims may cost settlements, which are made good by events.
    let version = Math.max(tally.version, this.#claimedVersions.of(ref));
    let turnEndsAt = clock.now() + TURN_MS;
    const reserve = (queued: number) => this.#reserve(queued, chunk.run.kind, signal);
    let reserved = await reserve(tally.queued);
    while (reserved.places > 0) {
      await pauseUntil(reserved.startsAt - CLAIM_AHEAD_MS, clock, signal);
      if (signal.aborted || !(await continuity.mayWork())) return 'interrupted';
      const [pace, left] = split(reserved, batchSizeAt(await rate.ratePerSecond()));
      const batch = await this.#claim(chunk, pace, version, underWay.at(-1));
      const { positions, tally: claimed } = batch.claim;
      version = claimed.version;
      if (positions.length > 0) this.#claimedVersions.remember(ref, version);
      else if (underWay.length === 0) return 'done';
      // Whatever comes of it: what is claimed is sent, or given back.
      underWay.push(this.#start(batch));
      // The next places are reserved while these are used: the stream must not stand still between two micro-batches. Not
      // when somebody else may have the next turn, since nobody else could use them.
      const isTurnOver = clock.now() > turnEndsAt;
      const goesOn = claimed.queued > 0 && !isTurnOver;
      const next = goesOn && left.places === 0 ? reserve(claimed.queued) : undefined;
      next?.catch(() => undefined);
      // While one micro-batch is under way the next one may be claimed; at the end its answers may bring somebody back.
      while (underWay.length > (goesOn ? 1 : 0)) {
        standing = await (underWay[0] as StartedBatch).settled;
        underWay.shift();
      }
      if (standing.gate !== 'open') return outcomeOf(standing.gate);
      if (!goesOn && standing.tally.queued === 0) return 'done';
      if (isTurnOver && (await hasEarlierTurn(queues.sends, priority))) return 'interrupted';
      if (isTurnOver) turnEndsAt = clock.now() + TURN_MS;
      reserved = goesOn ? await (next ?? left) : await reserve(standing.tally.queued);
    }
    return signal.aborted ? 'interrupted' : this.#pauseForQuota(ref.run);
  }

  /** Places for a micro-batch or some; none when the quota is used up, also after a moment in which others used their last ones. */
  async #reserve(queued: number, kind: RateKind, signal: AbortSignal): Promise<Reservation> {
    const { clock, rate } = this.#services;
    const ratePerSecond = await rate.ratePerSecond();
    const ahead = Math.floor((ratePerSecond * RESERVED_MS) / 1_000);
    const size = Math.min(queued, Math.max(ahead, batchSizeAt(ratePerSecond)));
    const pace = await rate.reserve(size, kind, signal);
    if (pace.places > 0 || signal.aborted) return pace;
    await pauseUntil(clock.now() + LAST_PLACES_MS, clock, signal);
    return rate.reserve(size, kind, signal);
  }

  async #claim(
    chunk: Chunk,
    pace: Reservation,
    version: number,
    before: StartedBatch | undefined,
  ): Promise<Batch> {
    const { lateSuppressions, ledger } = this.#services;
    const news = lateSuppressions.refresh();
    news.catch(() => undefined);
    const claim = await ledger.claim(chunk.ref, randomUUID(), pace.places, version);
    const claimed = { ...chunk, claim, news };
    const barred = this.#barredAmong(claimed);
    // Looked at when its turn comes.
    barred.catch(() => undefined);
    return { ...claimed, barred, pace, before };
  }

  #start(batch: Batch): StartedBatch {
    batch.reports.claimed(batch.claim.tally);
    const result: BatchResult = { settlements: [], remedy: 'none', reason: '' };
    const sent = Promise.allSettled([batch.before?.sent]).then(() => this.#sendClaimed(batch, result));
    const settled = sent.then(async (answers) => {
      await Promise.all(answers);
      return this.#settle(batch, result);
    });
    settled.catch(() => undefined);
    return { result, sent, settled };
  }

  /** One after the other, so that refusals in a row are in a row. */
  async #settle(batch: Batch, result: BatchResult): Promise<Standing> {
    const { clock, ledger, logger } = this.#services;
    const { ref, run, claim, reports, signal, before } = batch;
    const { settlements, remedy, reason } = result;
    await before?.settled.catch(() => undefined);
    if (result.failure) throw result.failure;
    settlements.sort((a, b) => a.position - b.position);
    const row = new RefusalRow(ref, settlements, before?.result.pausedFor);
    const { settled, pausedFor } = await row.pauseIfTooLong(this.#services, run.recipients);
    result.pausedFor = pausedFor;
    const gateAfter = reports.settling(row, remedy !== 'none');
    const { tally, refused } = await ledger.settle(ref, claim.id, settled);
    if (refused.length > 0)
      logger.warn(
        { ...ref, claim: claim.id, refused: refused.length },
        'claim had run out, answers came too late',
      );
    await giveBackRejected(this.#services, batch, settled, refused);
    if (remedy === 'wait') await pauseUntil(clock.now() + UNREACHABLE_MS, clock, signal);
    if (remedy === 'quota') await this.#pauseForQuota(ref.run);
    if (remedy === 'pause')
      await this.#pause(ref.run, {
        cause: 'account',
        reason,
        retryAt: this.#nextTry,
      });
    return { gate: await gateAfter(tally), tally };
  }

  async #pauseForQuota(run: string): Promise<Outcome> {
    const { account, rate } = this.#services;
    const [state, freesAt] = await Promise.all([account.state(), rate.quotaFreesAt()]);
    const quota = state?.quota ? ` of ${state.quota.max.toLocaleString('en')}` : '';
    const time = freesAt?.toISOString().replace(/^(.*)T(..:..).*$/, '$2 UTC on $1');
    const sandbox = state?.isSandbox ? '; the account is in the sandbox, see docs/aws.md' : '';
    const reason = `The quota${quota} recipients in 24 hours is used up; resumes ${time ? `about ${time}` : 'when SES has room'}${sandbox}`;
    return this.#pause(run, { cause: 'quota', reason, retryAt: this.#nextTry });
  }

  /** When what paused a run may look different. */
  get #nextTry(): Date {
    return new Date(this.#services.clock.now() + this.#services.account.refreshMs);
  }

  async #pause(run: string, pause: Pause): Promise<Outcome> {
    await pauseRun(this.#services, run, pause);
    return 'paused';
  }

  /** Who of a claim gets nothing, by position, with the reason: suppressed by now, or over the campaign's cap. */
  async #barredAmong(claimed: ClaimedChunk): Promise<Map<number, string>> {
    const { clock, ledger } = this.#services;
    const { ref, claim } = claimed;
    const { positions } = claim;
    try {
      const barred = await this.#suppressedAmong(claimed);
      const rest = positions.filter((position) => !barred.has(position));
      return new Map([...barred, ...(await cappedAmong(this.#services, claimed, rest))]);
    } catch (error) {
      // In a cluster the lists may be away while the chunk is not. Nothing was sent, so nobody needs to be in doubt.
      const note = { event: 'release', at: clock.now(), detail: '' } as const;
      await ledger.settle(
        ref,
        claim.id,
        positions.map((position) => ({ position, ...note })),
      );
      throw error;
    }
  }

  /**
   * Who was put on the suppression list since the freezing, by position, with the reason. One command beside the
   * claim, and nearly always no more than that.
   */
  async #suppressedAmong({ run, recipients, claim, news }: ClaimedChunk): Promise<Map<number, string>> {
    const { lateSuppressions, suppressions } = this.#services;
    const { positions } = claim;
    const keys = positions.map((position) => addressKey(recipients[position]?.address ?? ''));
    await news;
    const late = lateSuppressions.among(keys, run.createdAt);
    if (late.length === 0) return new Map();
    const found = await suppressions.findMany(
      late.map((index) => keys[index] as string),
      run.snapshot.id,
    );
    return new Map(
      [...found].map(([place, { reason }]) => [positions[late[place] as number] as number, reason]),
    );
  }

  /**
   * One request a claimed recipient, spaced by the rate. After an answer that concerns everybody, nobody else is tried, and nobody
   * after a micro-batch that failed.
   * @returns the answers, when all requests are out.
   */
  async #sendClaimed(batch: Batch, result: BatchResult): Promise<Promise<void>[]> {
    const { clock, rate, renderer, sender } = this.#services;
    const { ref, run, recipients, claim, pace, before, signal } = batch;
    const barred = await batch.barred.catch((error: unknown) => {
      result.failure = error;
      throw error;
    });
    const startedAt = clock.now();
    const settle = (position: number, event: Settlement['event'], detail: string) =>
      result.settlements.push({ position, event, at: clock.now(), detail });

    const sendOne = async (position: number): Promise<void> => {
      const recipient = recipients[position];
      if (!recipient) throw new Error(`${ref.run}/${ref.chunk} has no recipient at position ${position}.`);
      const rendered = renderer.render(run, recipient, { ...ref, position });
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
          settle(position, 'release', answer.reason);
          // What others answered must be settled, also when this fails.
          if (answer.remedy === 'slow') await rate.slowDown().catch(() => undefined);
          else if (answer.remedy !== 'none' && result.remedy !== 'pause')
            Object.assign(result, { remedy: answer.remedy, reason: answer.reason });
      }
    };
    const fail = (error: unknown): void => {
      result.failure ??= error;
    };

    const answers: Promise<void>[] = [];
    const places = new Places({ clock, turns: this.#turns }, pace);
    const isHopeless = () =>
      result.remedy !== 'none' || (before && (before.result.remedy !== 'none' || before.result.failure));
    let taken = 0;
    for (const position of claim.positions) {
      if (taken === 0) taken = await places.take(signal);
      const hasPlace = taken > 0;
      if (hasPlace) taken -= 1;
      if (!hasPlace || signal.aborted || isHopeless()) settle(position, 'release', 'not tried');
      else if (clock.now() - startedAt > STALE_CLAIM_MS) settle(position, 'release', 'the claim is stale');
      else if (barred.has(position)) settle(position, 'suppress', barred.get(position) ?? '');
      else answers.push(sendOne(position).catch(fail));
    }
    return answers;
  }
}

/** Recipients a claim. */
function batchSizeAt(ratePerSecond: number): number {
  const within = (ms: number) => Math.floor((ratePerSecond * ms) / 1_000);
  const least = Math.max(1, Math.min(BATCH_SIZE, within(BATCH_MS)));
  return Math.max(least, Math.min(FAST_BATCH_SIZE, within(FAST_BATCH_MS)));
}

/** The first places of a reservation, and those that are left. */
function split({ intervalMs, places, startsAt }: Reservation, first: number): [Reservation, Reservation] {
  const taken = Math.min(first, places);
  return [
    { intervalMs, places: taken, startsAt },
    { intervalMs, places: places - taken, startsAt: startsAt + taken * intervalMs },
  ];
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
