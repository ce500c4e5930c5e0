/** The audit trail: who did what, when, to which run, why, and what came of it. */
export type { AuditAction, AuditDeed, AuditEntry, AuditOutcome, AuditWay } from './auditEntry.js';
export { AuditTrail, isAuditId } from './auditTrail.js';
