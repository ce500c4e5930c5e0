/**
 * What became of a mail after SES took it. Not states: a mail may be delayed and then delivered, delivered and then
 * complained of. Each counts a recipient once.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
 */
export const MAIL_OUTCOMES = {
  delivered: 1,
  /** For good: the address does not take mail. */
  bounced: 2,
  /** For now: mailbox full, server away. */
  bounced_transient: 4,
  complained: 8,
  delayed: 16,
} as const;

export type MailOutcome = keyof typeof MAIL_OUTCOMES;

export const MAIL_OUTCOME_NAMES = Object.keys(MAIL_OUTCOMES) as MailOutcome[];

/** What a run counts: of its mails, and how many left by the link in one of them. */
export const RUN_OUTCOME_NAMES = [...MAIL_OUTCOME_NAMES, 'unsubscribed'] as const;

export type OutcomeCounts = Record<(typeof RUN_OUTCOME_NAMES)[number], number>;

/** The outcomes in a recipient's byte. */
export function outcomesIn(byte: number): MailOutcome[] {
  return MAIL_OUTCOME_NAMES.filter((name) => (byte & MAIL_OUTCOMES[name]) !== 0);
}
