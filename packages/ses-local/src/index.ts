/** Amazon SES on this machine, for tests and for trying things out. */
export type { AccountState } from './account.js';
export { type FaultName, FaultPlan } from './faults.js';
export type { MailQuery, MailReport, StoredMail } from './mailStore.js';
export type { RunNumbers } from './runTally.js';
export { DEFAULT_TOPIC_ARN, type SesLocal, type SesLocalConfig, startSesLocal } from './sesLocal.js';
export { SnsSigner } from './snsSigner.js';
