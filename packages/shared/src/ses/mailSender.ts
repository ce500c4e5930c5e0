import type { SendEmailCommandInput } from '@aws-sdk/client-sesv2';
import type { SesAnswer } from './answers.js';

/** Sends one mail for one claim. Every implementation of it passes the same contract suite. */
export interface MailSender {
  /** @param claimedAt ms since the epoch; the request is signed with this time. Never throws: an error is an answer. */
  send(mail: SendEmailCommandInput, claimedAt: number): Promise<SesAnswer>;
}
