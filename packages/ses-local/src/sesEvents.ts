/**
 * What SES tells about a mail, as JSON like SES's own.
 * https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
 */
import { randomUUID } from 'node:crypto';
import { bareAddress, simulatorMailbox } from './address.js';
import { headerFieldsOf, subjectOf } from './email.js';
import type { FAULTS } from './faults.js';
import type { StoredMail } from './mailStore.js';

export type Outcome = (typeof FAULTS)['outcome'][number];

/** One event; `mail` is written once for all events of a mail. */
export interface SesEvent {
  type: string;
  mailJson: string;
  detailsJson: string;
}

/** Events carry the header up to here. https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html#event-publishing-retrieving-sns-contents-mail-object */
const MAX_HEADER_BYTES = 10_240;
const ACCOUNT_ID = '000000000000';

export function eventJson({ type, mailJson, detailsJson }: SesEvent): string {
  return `{"eventType":"${type}","mail":${mailJson},${detailsJson}}`;
}

/** The events of an accepted mail, in their order: always Send, then what becomes of it. */
export function eventsOf(mail: StoredMail, fault: Outcome | undefined): SesEvent[] {
  const mailJson = JSON.stringify(describeMail(mail));
  const event = (type: string, name: string, details: object): SesEvent => ({
    type,
    mailJson,
    detailsJson: `"${name}":${JSON.stringify(details)}`,
  });
  const timestamp = new Date().toISOString();
  const recipients = mail.to.map((emailAddress) => ({ emailAddress }));
  const send = event('Send', 'send', {});
  const delivery = event('Delivery', 'delivery', {
    timestamp,
    processingTimeMillis: Math.max(1, Date.now() - mail.acceptedAt.getTime()),
    recipients: mail.to,
    smtpResponse: '250 2.6.0 Message received',
    reportingMTA: 'a8-70.smtp-out.amazonses.com',
  });
  const bounce = (bounceType: string, bounceSubType: string, status: string, diagnostic: string) =>
    event('Bounce', 'bounce', {
      bounceType,
      bounceSubType,
      bouncedRecipients: recipients.map((recipient) => ({
        ...recipient,
        action: 'failed',
        status,
        diagnosticCode: `smtp; ${diagnostic}`,
      })),
      timestamp,
      feedbackId: feedbackId(),
      reportingMTA: 'dns; amazonses.com',
    });
  switch (outcomeOf(mail, fault)) {
    case undefined:
      return [send, delivery];
    case 'bounce':
      return [send, bounce('Permanent', 'General', '5.1.1', '550 5.1.1 user unknown')];
    case 'suppressed':
      return [send, bounce('Permanent', 'Suppressed', '5.1.1', 'Amazon SES did not send the message')];
    case 'soft-bounce':
      return [send, bounce('Transient', 'MailboxFull', '4.2.2', '452 4.2.2 mailbox full')];
    case 'reject':
      return [send, event('Reject', 'reject', { reason: 'Bad content' })];
    case 'delivery-delay': {
      const deliveryDelay = {
        delayType: 'TransientCommunicationFailure',
        delayedRecipients: recipients.map((recipient) => ({
          ...recipient,
          status: '4.4.1',
          diagnosticCode: 'smtp; 421 4.4.1 Unable to connect to remote host',
        })),
        expirationTime: new Date(Date.now() + 12 * 3_600_000).toISOString(),
        timestamp,
      };
      return [send, event('DeliveryDelay', 'deliveryDelay', deliveryDelay), delivery];
    }
    case 'complaint': {
      const complaint = {
        complainedRecipients: recipients,
        timestamp,
        feedbackId: feedbackId(),
        complaintSubType: null,
        userAgent: 'Amazon SES Mailbox Simulator',
        complaintFeedbackType: 'abuse',
        arrivalDate: timestamp,
      };
      return [send, delivery, event('Complaint', 'complaint', complaint)];
    }
  }
}

/** What was asked for, or what the mailbox simulator's addresses stand for. */
function outcomeOf({ to }: StoredMail, fault: Outcome | undefined): Outcome | 'suppressed' | undefined {
  if (fault) return fault;
  const mailboxes = to.map(simulatorMailbox);
  if (mailboxes.includes('bounce')) return 'bounce';
  if (mailboxes.includes('suppressionlist')) return 'suppressed';
  return mailboxes.includes('complaint') ? 'complaint' : undefined;
}

function describeMail({ messageId, acceptedAt, to, tags, email }: StoredMail) {
  const from = email?.from ?? '';
  const domain = bareAddress(from).split('@')[1] ?? '';
  const { fields, isTruncated } = truncated(email ? headerFieldsOf(email) : []);
  return {
    timestamp: acceptedAt.toISOString(),
    source: from,
    sourceArn: `arn:aws:ses:us-east-1:${ACCOUNT_ID}:identity/${domain}`,
    sendingAccountId: ACCOUNT_ID,
    messageId,
    destination: to,
    headersTruncated: isTruncated,
    headers: fields,
    commonHeaders: {
      from: [from],
      ...(email && email.request.ReplyToAddresses.length > 0 && { replyTo: email.request.ReplyToAddresses }),
      to,
      messageId,
      subject: email ? subjectOf(email) : '',
    },
    tags: {
      'ses:operation': ['SendEmail'],
      ...(email?.configurationSet && { 'ses:configuration-set': [email.configurationSet] }),
      'ses:source-ip': ['127.0.0.1'],
      'ses:from-domain': [domain],
      'ses:caller-identity': ['ses-local'],
      ...Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, [value]])),
    },
  };
}

function truncated(fields: { name: string; value: string }[]) {
  let size = 0;
  const kept = fields.filter(({ name, value }) => {
    size += name.length + value.length + 4;
    return size <= MAX_HEADER_BYTES;
  });
  return { fields: kept, isTruncated: kept.length < fields.length };
}

function feedbackId(): string {
  return `${Date.now().toString(16).padStart(16, '0')}-${randomUUID()}-000000`;
}
