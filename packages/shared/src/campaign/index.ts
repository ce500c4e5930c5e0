/** Campaigns as files: their schema, loading with every error at its line, schedules. */
export type { AudienceDefinition } from './audienceSchema.js';
export type { CampaignBody, CampaignSnapshot } from './campaignFolder.js';
export { CampaignFileError, type CampaignProblem, formatProblem } from './campaignProblem.js';
export type { Campaign, CatchUpPolicy, Schedule } from './campaignSchema.js';
export { type Cap, capPerMs } from './capSchema.js';
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
export { nextOccasion } from './nextOccasion.js';
export {
  asRead,
  comesTo,
  cronZone,
  describeSchedule,
  hasOwnZones,
  shownTime,
  wallTimeOf,
} from './ownZones.js';
export {
  catchUp,
  MISSED_AFTER_MS,
  nextOccurrence,
  occurrencesBetween,
  previousOccurrence,
} from './schedule.js';
export { isTimeZone } from './wallClock.js';
