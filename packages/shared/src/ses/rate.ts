/**
 * The account's rate, shared by all workers on all machines and counted in recipients. A worker reserves places *before*
 * it claims, so that a claim is never older than the sending of it takes.
 */
import type { Clock, Logger, RedisConnection } from '../runtime/index.js';
import { luaScript, messageOf } from '../runtime/index.js';
import type { SesClient } from './client.js';

const rateReserve = luaScript(import.meta.url, 'rateReserve');

/** GetAccount is asked this often at the most, by all processes together, ms. */
const ACCOUNT_MAX_AGE_MS = 60_000;
/** What a new account outside of the sandbox does not go below; used when GetAccount is not allowed to us. */
const CAUTIOUS_RATE = 1;
/** A throttled answer holds everybody back for this long, ms: SES counts in seconds. */
const PUSH_BACK_MS = 1_000;

export interface RateConfig {
  /** `SES_MAX_RATE`; default: the account's own. */
  maxRatePerSecond?: number;
  prefix: string;
}

export interface Reservation {
  /** Until the first place, ms. */
  waitMs: number;
  /** Between two places, ms. */
  intervalMs: number;
}

export class SendRate {
  readonly #services: { redis: RedisConnection; ses: SesClient; clock: Clock; logger: Logger };
  readonly #config: RateConfig;
  #known: { rate: number; at: number } | undefined;

  constructor(
    services: { redis: RedisConnection; ses: SesClient; clock: Clock; logger: Logger },
    config: RateConfig,
  ) {
    this.#services = services;
    this.#config = config;
  }

  /** Recipients a second. */
  async ratePerSecond(): Promise<number> {
    if (this.#config.maxRatePerSecond) return this.#config.maxRatePerSecond;
    const { redis, clock } = this.#services;
    if (this.#known && clock.now() - this.#known.at < ACCOUNT_MAX_AGE_MS) return this.#known.rate;
    const key = `${this.#config.prefix}:1:{rate}:account`;
    const cached = Number(await redis.get(key));
    const rate = cached > 0 ? cached : await this.#askAccount();
    if (cached <= 0) await redis.set(key, rate, 'PX', ACCOUNT_MAX_AGE_MS);
    this.#known = { rate, at: clock.now() };
    return rate;
  }

  async reserve(places: number): Promise<Reservation> {
    return this.#reserve(places, 0);
  }

  /** SES said that we are too fast: everybody waits a moment. */
  async pushBack(): Promise<void> {
    await this.#reserve(0, PUSH_BACK_MS);
  }

  async #reserve(places: number, pushBackMs: number): Promise<Reservation> {
    const rate = await this.ratePerSecond();
    const key = `${this.#config.prefix}:1:{rate}:next`;
    const waitMs = await rateReserve(this.#services.redis, [key], [places, rate, pushBackMs]);
    return { waitMs: Number(waitMs), intervalMs: 1_000 / rate };
  }

  async #askAccount(): Promise<number> {
    try {
      const { SendQuota } = await this.#services.ses.account();
      return SendQuota?.MaxSendRate ?? CAUTIOUS_RATE;
    } catch (error) {
      const reason = messageOf(error);
      this.#services.logger.warn(
        { reason, rate: CAUTIOUS_RATE },
        'GetAccount failed: sending slowly; SES_MAX_RATE sets the rate',
      );
      return CAUTIOUS_RATE;
    }
  }
}
