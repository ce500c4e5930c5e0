/** Campaigns as files: their schema, loading with every error at its line, schedules. */
export type { CampaignBody, CampaignSnapshot } from './campaignFolder.js';
export { CampaignFileError, type CampaignProblem, formatProblem } from './campaignProblem.js';
export type { AudienceDefinition, Campaign, CatchUpPolicy, Schedule } from './campaignSchema.js';
export type { Links } from './linksSchema.js';
export {
  type LoadedCampaign,
  type LoadedCampaigns,
  loadCampaign,
  loadCampaigns,
  snapshotOf,
  UnknownCampaignError,
} from './loadCampaigns.js';
export { assertRunnable, isMessageTemplate, NotRunnableError } from './messageTemplate.js';
export { catchUp, nextOccurrence, occurrencesBetween, previousOccurrence } from './schedule.js';
