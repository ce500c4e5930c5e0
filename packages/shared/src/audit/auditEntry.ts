/** What an entry of the audit trail says, and the closed set of what people do. */

export const AUDIT_ACTIONS = [
  'campaign.pause',
  'campaign.resume',
  'campaign.run',
  'doubts.settle',
  'job.change',
  'job.promote',
  'job.remove',
  'job.retry',
  'login',
  'login.failed',
  'logout',
  'queue.change',
  'queue.clean',
  'queue.pause',
  'queue.resume',
  'run.cancel',
  'run.export',
  'run.pause',
  'run.resume',
  'run.retry',
  'suppression.add',
  'suppression.import',
  'suppression.remove',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** `nothing`: it was allowed, and there was nothing to do. */
export const AUDIT_OUTCOMES = ['done', 'nothing', 'refused', 'failed'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

export const AUDIT_WAYS = ['dashboard', 'cli', 'api'] as const;
export type AuditWay = (typeof AUDIT_WAYS)[number];

/** What somebody did. */
export interface AuditDeed {
  /** An operator's name, a user of the machine, or an API key's. */
  who: string;
  via: AuditWay;
  action: AuditAction;
  /** The run, campaign, queue or job. */
  subject?: string;
  outcome: AuditOutcome;
  /** The reason that was given, and what came of it. Recipients' addresses are masked wherever they come from. */
  detail?: string;
}

export interface AuditEntry extends AuditDeed {
  /** Orders entries, and is what `before` takes. */
  id: string;
  at: Date;
}
