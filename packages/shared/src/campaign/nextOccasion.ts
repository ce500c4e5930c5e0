/** What previews and checks ask an audience for: the campaign's next occurrence, else now. */
import type { Occasion } from '../audience/occasion.js';
import { runIdOf } from '../run/runId.js';
import type { Schedule } from './campaignSchema.js';
import { nextOccurrence } from './schedule.js';

export function nextOccasion(campaign: string, schedule: Schedule | undefined): Occasion {
  const now = new Date();
  const scheduledAt = (schedule && nextOccurrence(schedule, now)) ?? now;
  return { campaign, run: runIdOf(campaign, scheduledAt), scheduledAt };
}
