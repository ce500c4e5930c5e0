/**
 * The account's rate and quota, shared by all workers on all machines and counted in recipients. A worker reserves places
 * *before* it claims, so that a claim is never older than the sending of it takes. Single messages pass campaigns: they wait
 * for what is reserved already, which is bounded, and may take most of the rate as long as they come.
 *
 * Not a library's limiter: those that keep their state in Redis count in windows (a burst at the edge of each), or wait in
 * a queue of one process. This is one script of a few lines.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, luaScript, type RedisConnection } from '../runtime/index.js';
import { accountKeys, type SesAccount } from './account.js';

const prelude = readFileSync(new URL('../../src/ses/lua/prelude.lua', import.meta.url), 'utf8');
const placesReserve = luaScript(import.meta.url, 'placesReserve', prelude);
const rateSlowDown = luaScript(import.meta.url, 'rateSlowDown', prelude);

/** When GetAccount is not allowed to us: what a new account in the sandbox has. */
const CAUTIOUS_RATE = 1;
/** SES counts when a call arrives, and some arrive closer together than they were sent: room for that. */
const SHARE_OF_RATE = 0.987;
/** A throttled answer holds everybody back for as long as this many places take. */
const PUSH_BACK_PLACES = 2;
const SLOW_DOWN_BY = 0.995;
const LEAST_FACTOR = 0.25;
/** Nothing is reserved for campaigns that begins later than this, ms: however many workers there are, messages wait no longer. */
const AHEAD_MS = 500;
/** Of the rate, while campaigns want some of it as well. */
const SHARE_OF_MESSAGES = 0.75;
/** SES's quota is of the last so many ms. */
const QUOTA_WINDOW_MS = 86_400_000;
/** Places are counted by the time at which they were reserved, in slots of so many ms. */
const SLOT_MS = 600_000;

/** For whom places are: single messages go first. */
export type RateKind = 'campaign' | 'message';

export interface RateConfig {
  /** `SES_MAX_RATE`; default: the account's own. */
  maxRatePerSecond?: number;
  prefix: string;
}

export interface Reservation {
  /** How many of those that were asked for; 0: the day's quota is used up. */
  places: number;
  /** When the first one is, ms since the epoch by this machine's clock. */
  startsAt: number;
  /** Between two places, ms. */
  intervalMs: number;
}

export class SendRate {
  readonly #redis: RedisConnection;
  readonly #account: SesAccount;
  readonly #clock: Clock;
  readonly #config: RateConfig;

  constructor(
    { redis, account, clock }: { redis: RedisConnection; account: SesAccount; clock: Clock },
    config: RateConfig,
  ) {
    this.#redis = redis;
    this.#account = account;
    this.#clock = clock;
    this.#config = config;
  }

  /** Recipients a second. */
  async ratePerSecond(): Promise<number> {
    const state = await this.#account.state();
    return this.#config.maxRatePerSecond ?? state?.maxRatePerSecond ?? CAUTIOUS_RATE;
  }

  /**
   * Waits while enough is reserved for the next moment.
   * @param signal ends the waiting, without places.
   */
  async reserve(places: number, kind: RateKind, signal: AbortSignal): Promise<Reservation> {
    const share = kind === 'message' ? SHARE_OF_MESSAGES : 0;
    const { next, slowdown, left, places: byTime, messagesNext } = accountKeys(this.#config.prefix);
    const keys = [next, slowdown, left, byTime, messagesNext];
    for (;;) {
      const window = [SLOT_MS, QUOTA_WINDOW_MS / SLOT_MS, AHEAD_MS, share];
      const reply = await placesReserve(this.#redis, keys, [places, await this.#pace(), ...window]);
      const [granted = 0, waitMs = 0, intervalMs = 0] = (reply as (number | string)[]).map(Number);
      if (granted >= 0) return { places: granted, startsAt: this.#clock.now() + waitMs, intervalMs };
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return { places: 0, startsAt: this.#clock.now(), intervalMs };
    }
  }

  /** What is used of the rate: all of one that was set below the account's, where there is room anyway. */
  async #pace(): Promise<number> {
    const rate = await this.ratePerSecond();
    const ofAccount = (await this.#account.state())?.maxRatePerSecond ?? 0;
    return Math.max(rate * SHARE_OF_RATE, Math.min(rate, ofAccount * SHARE_OF_RATE));
  }

  /** SES said that we are too fast: everybody waits a moment, and goes on a little slower. */
  async slowDown(): Promise<void> {
    const pushBackMs = (PUSH_BACK_PLACES * 1_000) / (await this.ratePerSecond());
    const { next, slowdown } = accountKeys(this.#config.prefix);
    await rateSlowDown(this.#redis, [next, slowdown], [pushBackMs, SLOW_DOWN_BY, LEAST_FACTOR]);
  }

  /**
   * About when the quota has room again: when the oldest of our own mails in its window leave it. Undefined when none of
   * them is ours.
   */
  async quotaFreesAt(): Promise<Date | undefined> {
    const slots = await this.#redis.hkeys(accountKeys(this.#config.prefix).places);
    const since = this.#clock.now() - QUOTA_WINDOW_MS;
    const ends = slots.map((slot) => (Number(slot) + 1) * SLOT_MS).filter((end) => end > since);
    return ends.length > 0 ? new Date(Math.min(...ends) + QUOTA_WINDOW_MS) : undefined;
  }
}
