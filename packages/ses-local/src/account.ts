/** The account: its quota and rate, and whether they are held to. https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html */
import { z } from 'zod';
import { refusalOf } from './faults.js';

export const AccountState = z.strictObject({
  /** Recipients in 24 hours; -1: no limit. */
  max24HourSend: z.number().min(-1),
  /** Recipients a second. */
  maxSendRate: z.number().positive(),
  sentLast24Hours: z.number().min(0),
  sendingEnabled: z.boolean(),
  productionAccessEnabled: z.boolean(),
  enforcementStatus: z.enum(['HEALTHY', 'PROBATION', 'SHUTDOWN']),
  /** Answer 429 above `maxSendRate` recipients in any second. */
  enforcesRate: z.boolean(),
});

export type AccountState = z.infer<typeof AccountState>;

export class Account {
  #state: AccountState;
  /** Times of the recipients accepted in the last second, ms. */
  #lastSecond: number[] = [];

  constructor(state: Partial<AccountState>) {
    this.#state = {
      max24HourSend: 50_000_000,
      maxSendRate: 10_000,
      sentLast24Hours: 0,
      sendingEnabled: true,
      productionAccessEnabled: true,
      enforcementStatus: 'HEALTHY',
      enforcesRate: false,
      ...state,
    };
  }

  get state(): AccountState {
    return this.#state;
  }

  change(state: Partial<AccountState>): void {
    this.#state = { ...this.#state, ...state };
  }

  /** Counts recipients. @throws {SesError} when the account may not send them now. */
  admit(recipients: number): void {
    const { enforcementStatus, enforcesRate, max24HourSend, maxSendRate, sendingEnabled, sentLast24Hours } =
      this.#state;
    if (enforcementStatus === 'SHUTDOWN') throw refusalOf('account-suspended');
    if (!sendingEnabled) throw refusalOf('sending-paused');
    if (max24HourSend >= 0 && sentLast24Hours + recipients > max24HourSend)
      throw refusalOf('quota-exhausted');
    if (enforcesRate) {
      const now = Date.now();
      while ((this.#lastSecond[0] ?? now) <= now - 1_000) this.#lastSecond.shift();
      if (this.#lastSecond.length + recipients > maxSendRate) throw refusalOf('throttle');
      for (let i = 0; i < recipients; i++) this.#lastSecond.push(now);
    }
    this.#state.sentLast24Hours += recipients;
  }

  /** GetAccount's answer. */
  describe(): Record<string, unknown> {
    const {
      enforcementStatus,
      max24HourSend,
      maxSendRate,
      productionAccessEnabled,
      sendingEnabled,
      sentLast24Hours,
    } = this.#state;
    return {
      DedicatedIpAutoWarmupEnabled: false,
      EnforcementStatus: enforcementStatus,
      ProductionAccessEnabled: productionAccessEnabled,
      SendQuota: { Max24HourSend: max24HourSend, MaxSendRate: maxSendRate, SentLast24Hours: sentLast24Hours },
      SendingEnabled: sendingEnabled,
    };
  }
}
