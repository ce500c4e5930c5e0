/** What is known of one message, for the program that sent it. */
import type { MailOutcomes } from '../events/index.js';
import type { Ledger, RecipientState } from '../ledger/index.js';
import type { MailOutcome } from '../run/index.js';
import type { MessageRecord } from './messageRecords.js';

export interface MessageReport {
  /** SES's id, and when SES took it. */
  messageId?: string;
  sentAt?: Date;
  /** Why it was not sent, or is in doubt; without addresses. */
  reason?: string;
  outcomes: MailOutcome[];
}

/** @param state of the message. */
export async function messageReport(
  { ledger, outcomes }: { ledger: Ledger; outcomes: MailOutcomes },
  { place }: MessageRecord,
  state: RecipientState,
): Promise<MessageReport> {
  const [journal, marks] = await Promise.all([ledger.journal(place), outcomes.ofChunk(place)]);
  const entries = journal.filter(({ position }) => position === place.position);
  // SES's answer before an event that says the same.
  const sent =
    entries.find(({ event }) => event === 'accept') ?? entries.find(({ event }) => event === 'evidence');
  const reason = state === 'sent' ? undefined : entries.at(-1)?.detail;
  return {
    ...(sent && { messageId: sent.detail, sentAt: new Date(sent.at) }),
    ...(reason && { reason }),
    outcomes: marks.get(place.position) ?? [],
  };
}
