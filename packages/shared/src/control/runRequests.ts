/**
 * Requests of programs to start a run, each with an idempotency key: same key, same run, for as long as the run's record
 * lives.
 *
 * The first holder of a key fixes the scheduled time, and with it the run's id, in one Lua call; all that follows may be
 * repeated. So it does not matter where a process dies: before that call nothing has happened, and after it whoever comes
 * with the key, now or to another dashboard, ends at the same run.
 *
 * A run's id has seconds, and two keys may come within one. The record of a run holds the request that it stands for: who
 * asked for "now" and finds another's run there moves on to the next second that is free. Who named the time gets the run
 * of that time, whoever started it.
 */
import { hash } from 'node:crypto';
import type { LoadedCampaign } from '../campaign/index.js';
import { type RunRecord, type Runs, runIdOf } from '../run/index.js';
import { type Clock, luaScript, type RedisConnection } from '../runtime/index.js';
import { ensureFreezing, type StartedRun, type StartServices, startRun } from './startRun.js';

const requestReserve = luaScript(import.meta.url, 'requestReserve');
const requestMove = luaScript(import.meta.url, 'requestMove');

/** The least time that a key is honoured for, ms, however short the ledger's retention is. */
const LEAST_LIFE_MS = 24 * 3_600_000;
/** Seconds that are tried for "now": more runs of one campaign at a time are a loop gone wild. */
const SECONDS_TRIED = 60;

export interface RunRequest {
  /** Who asks: keys of different clients have nothing to do with each other. */
  client: string;
  idempotencyKey: string;
  campaign: string;
  /** Default: now. */
  scheduledAt?: Date;
}

/** The key stands for another request: another campaign or another time. */
export class RequestMismatchError extends Error {
  override readonly name = 'RequestMismatchError';
}

/** The key stands for a run whose record is gone. Another one under the key could be a second mail to everybody. */
export class ForgottenRequestError extends Error {
  override readonly name = 'ForgottenRequestError';
}

/** Every second of the next minute has a run of the campaign. */
export class CrowdedCampaignError extends Error {
  override readonly name = 'CrowdedCampaignError';
}

export interface RunRequestServices extends StartServices {
  clock: Clock;
  redis: RedisConnection;
  runs: Runs;
}

export interface RunRequestConfig {
  prefix: string;
  /** LEDGER_RETENTION_DAYS, ms. */
  retentionMs: number;
}

export interface AnsweredRequest extends StartedRun {
  /** The key was used before, and the run was there. */
  replayed: boolean;
}

interface Reservation {
  fingerprint: string;
  scheduledAt: number;
  reservedAt: number;
}

export class RunRequests {
  readonly #services: RunRequestServices;
  readonly #config: RunRequestConfig;

  constructor(services: RunRequestServices, config: RunRequestConfig) {
    this.#services = services;
    this.#config = config;
  }

  /**
   * @param load reads the campaign; not asked when the run is there, so that a request may be repeated after the campaign's
   *   files are gone. What it throws uses up no key.
   * @throws {RequestMismatchError} {ForgottenRequestError} {CrowdedCampaignError}
   */
  async start(request: RunRequest, load: () => Promise<LoadedCampaign>): Promise<AnsweredRequest> {
    const known = await this.#find(request);
    if (known) {
      const record = await this.#runOf(request, known);
      if (record) return { record, created: false, replayed: true };
    }
    const campaign = await load();
    const { isFirst, ...reservation } = await this.#reserve(request);
    assertSame(request, reservation);
    const started = await this.#create(request, campaign, reservation.scheduledAt);
    return { ...started, replayed: !isFirst && !started.created };
  }

  /** The run of a key that was used before; undefined when it was not created: whoever used the key died over it. */
  async #runOf(request: RunRequest, known: Reservation): Promise<RunRecord | undefined> {
    assertSame(request, known);
    const { clock, runs } = this.#services;
    const record = await runs.find(runIdOf(request.campaign, new Date(known.scheduledAt)));
    if (record && isOwn(request, record)) {
      await ensureFreezing(this.#services, record);
      return record;
    }
    // A record lives for the retention at least. Half of it, so that no clock's error lets a run begin again.
    if (clock.now() - known.reservedAt > this.#config.retentionMs / 2)
      throw new ForgottenRequestError('The run of this key is not known any more.');
    return undefined;
  }

  async #create(request: RunRequest, campaign: LoadedCampaign, first: number): Promise<StartedRun> {
    let at = first;
    for (let tried = 0; tried < SECONDS_TRIED; tried++) {
      const started = await startRun(this.#services, campaign, {
        scheduledAt: new Date(at),
        origin: 'api',
        request: idOf(request),
      });
      if (isOwn(request, started.record)) return started;
      at = await this.#move(request, at, at + 1_000);
    }
    throw new CrowdedCampaignError(
      `There is a run of ${request.campaign} in every second of the next minute.`,
    );
  }

  async #find(request: RunRequest): Promise<Reservation | undefined> {
    const { fingerprint, scheduled_at, reserved_at } = await this.#services.redis.hgetall(this.#key(request));
    if (!fingerprint) return undefined;
    return { fingerprint, scheduledAt: Number(scheduled_at), reservedAt: Number(reserved_at) };
  }

  async #reserve(request: RunRequest): Promise<Reservation & { isFirst: boolean }> {
    const { clock, redis } = this.#services;
    const now = clock.now();
    const second = Math.floor((request.scheduledAt?.getTime() ?? now) / 1_000) * 1_000;
    const args = [fingerprintOf(request), second, now, this.#lifeMs()];
    const reply = await requestReserve(redis, [this.#key(request)], args);
    const [isFirst, fingerprint, scheduledAt, reservedAt] = reply as [number, string, string, string];
    const times = { scheduledAt: Number(scheduledAt), reservedAt: Number(reservedAt) };
    return { isFirst: isFirst === 1, fingerprint, ...times };
  }

  async #move(request: RunRequest, from: number, to: number): Promise<number> {
    return Number(await requestMove(this.#services.redis, [this.#key(request)], [from, to]));
  }

  /** Longer than the run's record, whose retention begins when the run ends. */
  #lifeMs(): number {
    return Math.max(LEAST_LIFE_MS, Math.round(this.#config.retentionMs * 2));
  }

  /** Hashed: whatever a client takes as its keys, they don't show in Redis. */
  #key(request: RunRequest): string {
    return `${this.#config.prefix}:1:{request/${idOf(request)}}`;
  }
}

function idOf({ client, idempotencyKey }: RunRequest): string {
  return hash('sha256', `${client}\n${idempotencyKey}`, 'hex').slice(0, 32);
}

/** Of what is asked for and not of the bytes: the same time in another zone is the same request. */
function fingerprintOf({ campaign, scheduledAt }: RunRequest): string {
  return `${campaign} ${scheduledAt ? runIdOf(campaign, scheduledAt) : 'now'}`;
}

function assertSame(request: RunRequest, { fingerprint }: Reservation): void {
  if (fingerprint !== fingerprintOf(request))
    throw new RequestMismatchError('The key stands for another campaign, or for another time.');
}

/** Who named the time takes the run of that time as theirs. */
function isOwn(request: RunRequest, record: RunRecord): boolean {
  return request.scheduledAt !== undefined || record.request === idOf(request);
}
