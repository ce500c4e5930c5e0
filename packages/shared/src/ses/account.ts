/**
 * What SES says of the account: rate, the rolling 24-hour quota, whether it may send. Asked by one process for all, and not
 * more often than SES likes (GetAccount: about once a second).
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GetAccountCommandOutput } from '@aws-sdk/client-sesv2';
import type { Clock, Logger, RedisConnection } from '../runtime/index.js';
import { messageOf } from '../runtime/index.js';

/** One question a second, all processes together, ms. */
const ASK_EVERY_MS = 1_000;
/** Somebody else is asking: how often and how long to look for the answer, ms. */
const POLL_MS = 50;
const PATIENCE_MS = 2_000;
/** Of a quota of this size and more, test mails have so many places of their own. */
const RESERVE_FROM = 10_000;
const RESERVE = 50;

export interface AccountState {
  /** Recipients a second. */
  maxRatePerSecond: number;
  /** Recipients in 24 hours; undefined: no limit. */
  quota?: { max: number; sent: number };
  /** Why nothing can be sent at all; undefined: it can. */
  closed?: string;
  isSandbox: boolean;
}

/** What was answered, and when (ms since the epoch); also a refusal is an answer, and not asked for again at once. */
interface Answer {
  at: number;
  state?: AccountState;
  reason?: string;
}

export interface AccountServices {
  redis: RedisConnection;
  ses: { account(): Promise<GetAccountCommandOutput> };
  clock: Clock;
  logger: Logger;
}

/** Keys of the account's stream; one hash tag, since a script takes several at once. */
export function accountKeys(prefix: string) {
  const base = `${prefix}:1:{rate}`;
  return {
    account: `${base}:account`,
    asking: `${base}:account:asking`,
    next: `${base}:next`,
    messagesNext: `${base}:messages-next`,
    slowdown: `${base}:slowdown`,
    left: `${base}:left`,
    places: `${base}:places`,
  };
}

export class SesAccount {
  readonly #services: AccountServices;
  readonly #keys: ReturnType<typeof accountKeys>;
  readonly #refreshMs: number;
  #known: Answer | undefined;

  /** @param refreshMs how old an answer may get. */
  constructor(services: AccountServices, { prefix, refreshMs }: { prefix: string; refreshMs: number }) {
    this.#services = services;
    this.#keys = accountKeys(prefix);
    this.#refreshMs = refreshMs;
  }

  get refreshMs(): number {
    return this.#refreshMs;
  }

  /** Undefined when SES does not let us ask: then only its answers to mails tell. */
  async state(): Promise<AccountState | undefined> {
    const { state } = this.#isFresh(this.#known) ? this.#known : await this.#refresh();
    return state;
  }

  async #refresh(): Promise<Answer> {
    const { redis, clock } = this.#services;
    for (const since = clock.now(); ; await sleep(POLL_MS)) {
      const text = await redis.get(this.#keys.account);
      const cached = text ? (JSON.parse(text) as Answer) : undefined;
      if (this.#isFresh(cached)) return this.#remember(cached);
      if (await redis.set(this.#keys.asking, 1, 'PX', ASK_EVERY_MS, 'NX'))
        return this.#remember(await this.#ask());
      if (cached) return cached;
      if (clock.now() - since > PATIENCE_MS) return { at: clock.now() };
    }
  }

  #isFresh(answer: Answer | undefined): answer is Answer {
    return answer !== undefined && this.#services.clock.now() - answer.at < this.#refreshMs;
  }

  #remember(answer: Answer): Answer {
    if (answer.reason && answer.reason !== this.#known?.reason)
      this.#services.logger.warn(
        { reason: answer.reason },
        "GetAccount failed: the account's rate and quota are not known",
      );
    this.#known = answer;
    return answer;
  }

  async #ask(): Promise<Answer> {
    const { clock, redis, ses } = this.#services;
    const answer = await ses.account().then(
      (output): Answer => ({ at: clock.now(), state: toState(output) }),
      (error: unknown): Answer => ({ at: clock.now(), reason: messageOf(error) }),
    );
    await redis.set(this.#keys.account, JSON.stringify(answer));
    // Mails that are under way at this moment are not in SES's count yet. Should that be too many, SES says so.
    const quota = answer.state?.quota;
    if (quota) await redis.set(this.#keys.left, leftOf(quota));
    else await redis.del(this.#keys.left);
    return answer;
  }
}

/** What workers were told last, for who only shows it; undefined: nothing yet. */
export async function readKnownAccount(
  redis: RedisConnection,
  prefix: string,
): Promise<AccountState | undefined> {
  const text = await redis.get(accountKeys(prefix).account);
  return text ? (JSON.parse(text) as Answer).state : undefined;
}

/** Recipients that campaigns may still have now. */
export function leftOf({ max, sent }: { max: number; sent: number }): number {
  return Math.max(0, max - sent - (max >= RESERVE_FROM ? RESERVE : 0));
}

function toState({
  SendQuota,
  SendingEnabled,
  EnforcementStatus,
  ProductionAccessEnabled,
}: GetAccountCommandOutput): AccountState {
  const { Max24HourSend = -1, MaxSendRate = 1, SentLast24Hours = 0 } = SendQuota ?? {};
  const closed =
    EnforcementStatus === 'SHUTDOWN'
      ? 'the SES account is suspended (EnforcementStatus SHUTDOWN)'
      : SendingEnabled === false
        ? 'sending is paused for the SES account'
        : undefined;
  return {
    maxRatePerSecond: MaxSendRate,
    ...(Max24HourSend >= 0 && { quota: { max: Max24HourSend, sent: SentLast24Hours } }),
    ...(closed && { closed }),
    isSandbox: ProductionAccessEnabled === false,
  };
}
