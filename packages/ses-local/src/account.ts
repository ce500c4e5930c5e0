/**
 * The account: its quota and rate, and whether they are held to. It counts recipients, as SES does, not calls.
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
 */
import { z } from 'zod';
import { RateWindow } from './rateWindow.js';
import { refusalOf } from './refusals.js';

export const AccountState = z.strictObject({
  /** Recipients in 24 hours; -1: no limit. */
  max24HourSend: z.number().min(-1),
  /** Recipients a second. */
  maxSendRate: z.number().positive(),
  sentLast24Hours: z.number().min(0),
  sendingEnabled: z.boolean(),
  productionAccessEnabled: z.boolean(),
  enforcementStatus: z.enum(['HEALTHY', 'PROBATION', 'SHUTDOWN']),
  /**
   * Answer 429 above `maxSendRate` recipients in any second. Default false: SES lets short bursts pass, how long ones it
   * does not say, and a sender that keeps to the rate on the average should not fail here.
   */
  enforcesRate: z.boolean(),
});

export type AccountState = z.infer<typeof AccountState>;

export class Account {
  #state: AccountState;
  readonly #window = new RateWindow();

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
    if (enforcesRate && !this.#window.tryAdmit(recipients, maxSendRate)) throw refusalOf('throttle');
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
