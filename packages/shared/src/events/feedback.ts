/**
 * Bounces and complaints put addresses on the suppression list, for all campaigns: mailbox providers and AWS count how often
 * somebody writes to addresses that do not exist, or that do not want it. Harmless when an event comes again.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-bounce-object
 */
import { addressKey } from '../audience/index.js';
import { type ChunkRef, type Ledger, UnknownChunkError } from '../ledger/index.js';
import type { MailOutcome } from '../run/index.js';
import { EVERYTHING, type SuppressionList, type SuppressionReason } from '../suppression/index.js';
import type { SesEvent } from './sesEvents.js';

/** Subtypes by which SES says that its own list stopped the mail. */
const OWN_LISTS = ['Suppressed', 'OnAccountSuppressionList'];

type Reason = Extract<SuppressionReason, 'complaint' | 'bounce' | 'ses'> | 'transient';

export class Feedback {
  readonly #ledger: Ledger;
  readonly #suppressions: SuppressionList;
  readonly #transientLimit: number;

  /** @param transientLimit `SUPPRESS_AFTER_TRANSIENT_BOUNCES`; 0: never. */
  constructor(
    { ledger, suppressions }: { ledger: Ledger; suppressions: SuppressionList },
    { transientLimit }: { transientLimit: number },
  ) {
    this.#ledger = ledger;
    this.#suppressions = suppressions;
    this.#transientLimit = transientLimit;
  }

  /** @param outcome what the event says of its mail. */
  async take(
    ref: ChunkRef,
    position: number,
    outcome: MailOutcome | undefined,
    event: SesEvent,
  ): Promise<void> {
    const reason = reasonOf(outcome, event);
    if (!reason) return;
    const address = await this.#addressOf(ref, position, event);
    if (!address) return;
    const { run } = ref;
    const { messageId, timestamp } = event.mail;
    const since = new Date(event.bounce?.timestamp ?? event.complaint?.timestamp ?? timestamp);
    if (reason === 'transient')
      await this.#suppressions.countTransientBounce(
        { address, messageId, at: since, run },
        this.#transientLimit,
      );
    else await this.#suppressions.add({ address, scope: EVERYTHING, reason, since, run });
  }

  /** The address that we wrote to; SES's own, where ours is not kept any more: providers alter those of forwarded mails. */
  async #addressOf(
    ref: ChunkRef,
    position: number,
    { bounce, complaint }: SesEvent,
  ): Promise<string | undefined> {
    try {
      const ours = (await this.#ledger.recipients(ref))[position]?.address;
      if (ours) return addressKey(ours);
    } catch (error) {
      if (!(error instanceof UnknownChunkError)) throw error;
    }
    const told = bounce?.bouncedRecipients ?? complaint?.complainedRecipients ?? [];
    return told.length === 1 && told[0] ? addressKey(told[0].emailAddress) : undefined;
  }
}

function reasonOf(outcome: MailOutcome | undefined, { bounce }: SesEvent): Reason | undefined {
  switch (outcome) {
    case 'complained':
      return 'complaint';
    case 'bounced':
      return OWN_LISTS.includes(bounce?.bounceSubType ?? '') ? 'ses' : 'bounce';
    case 'bounced_transient':
      return 'transient';
    default:
      return undefined;
  }
}
