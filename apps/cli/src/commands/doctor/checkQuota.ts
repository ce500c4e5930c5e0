import { openAudience } from '@sendonce/shared/audience';
import {
  type LoadedCampaign,
  loadCampaigns,
  nextOccasion,
  occurrencesBetween,
} from '@sendonce/shared/campaign';
import { systemClock as clock, makeLogger, type Settings } from '@sendonce/shared/runtime';
import { leftOf, SesAccount, SesClient } from '@sendonce/shared/ses';
import type { Context } from '../../context.js';
import type { Check, Observation } from './finding.js';

/** What SES's quota looks back over is what we look ahead, ms. */
const DAY_MS = 86_400_000;
const CHECK = 'Quota for the next 24 hours';

export const checkQuota: Check = {
  subject: CHECK,
  why: 'What does not fit into the quota waits until it has room, which can be a day later than planned.',
  look: async ({ redis, settings }: Context): Promise<Observation[]> => {
    const ses = new SesClient(settings.ses);
    try {
      // Its troubles are a finding of checkAccount's.
      const logger = makeLogger('cli', 'silent');
      const account = new SesAccount(
        { redis, ses, clock, logger },
        { prefix: settings.redis.prefix, refreshMs: settings.ses.accountRefreshMs },
      );
      const state = await account.state();
      if (!state?.quota) return [{ check: CHECK, verdict: 'ok', detail: 'no limit is known' }];
      const needs = await needsOf(settings);
      const total = needs.reduce((sum, { recipients }) => sum + recipients, 0);
      const left = leftOf(state.quota);
      const largest = [...needs].sort((a, b) => b.recipients - a.recipients)[0];
      const detail =
        `${format(total)} recipients are due, the quota has room for ${format(left)}` +
        (largest && total > left
          ? `; most of them by ${largest.campaign} (${format(largest.recipients)})`
          : '');
      return [
        {
          check: CHECK,
          verdict: total > left ? 'warning' : 'ok',
          detail,
          mend: 'Ask for a higher quota: SES console, Account dashboard, "Request a limit increase"; or spread the schedules.',
        },
      ];
    } finally {
      ses.close();
    }
  },
};

interface Need {
  campaign: string;
  recipients: number;
}

/** Rows of audiences that can't be read are checkCampaigns's and the freezing's to tell. */
async function needsOf({ campaignsDir }: Settings): Promise<Need[]> {
  const { campaigns } = await loadCampaigns(campaignsDir);
  const now = clock.now();
  const needs: Need[] = [];
  for (const campaign of campaigns) {
    const { schedule } = campaign.definition;
    if (!schedule) continue;
    const until = new Date(now + DAY_MS);
    const times = [...occurrencesBetween(schedule, new Date(now), until)].length;
    if (times > 0)
      needs.push({ campaign: campaign.id, recipients: times * (await countOf(campaign).catch(() => 0)) });
  }
  return needs;
}

async function countOf({ id, definition, baseDir }: LoadedCampaign): Promise<number> {
  const occasion = nextOccasion(id, definition.schedule);
  let count = 0;
  for await (const row of openAudience(definition.audience, { baseDir, occasion }).rows())
    if ('recipient' in row) count += 1;
  return count;
}

function format(count: number): string {
  return count.toLocaleString('en');
}
