/** What an entry of the audit trail says, and the closed set of what people do. */

export type AuditAction =
  | 'campaign.pause'
  | 'campaign.resume'
  | 'campaign.run'
  | 'doubts.settle'
  | 'hold.release'
  | 'job.change'
  | 'job.promote'
  | 'job.remove'
  | 'job.retry'
  | 'login'
  | 'login.failed'
  | 'logout'
  | 'queue.change'
  | 'queue.clean'
  | 'queue.pause'
  | 'queue.resume'
  | 'run.cancel'
  | 'run.export'
  | 'run.pause'
  | 'run.resume'
  | 'run.retry'
  | 'suppression.add'
  | 'suppression.import'
  | 'suppression.remove';

/** `nothing`: it was allowed, and there was nothing to do. */
export type AuditOutcome = 'done' | 'nothing' | 'refused' | 'failed';

export type AuditWay = 'dashboard' | 'cli' | 'api';

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

/** As it was written: beside this version another one may run, which knows other words. */
export interface AuditEntry extends Omit<AuditDeed, 'via' | 'action' | 'outcome'> {
  /** Orders entries, and is what `before` takes. */
  id: string;
  at: Date;
  via: string;
  action: string;
  outcome: string;
}
