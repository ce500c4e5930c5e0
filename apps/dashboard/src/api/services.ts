/** What the operations stand on. */
import type { AuditTrail } from '@sendonce/shared/audit';
import type { ControlServices, RunRequests } from '@sendonce/shared/control';
import type { MailOutcomes } from '@sendonce/shared/events';
import type { Clicks } from '@sendonce/shared/links';
import type { Clock, Logger } from '@sendonce/shared/runtime';
import type { SingleMessages } from '@sendonce/shared/singleMessages';
import type { SuppressionList } from '@sendonce/shared/suppression';

export interface ApiServices extends ControlServices {
  audit: AuditTrail;
  clicks: Clicks;
  clock: Clock;
  logger: Logger;
  messages: SingleMessages;
  outcomes: MailOutcomes;
  requests: RunRequests;
  suppressions: SuppressionList;
}

export interface ApiConfig {
  /** `CAMPAIGNS_DIR` */
  campaignsDir: string;
  /** `LEDGER_RETENTION_DAYS`, ms. */
  ledgerRetentionMs: number;
}
