import { hasOwnZones, loadCampaigns, nextOccurrence } from '@sendonce/shared/campaign';
import { problemJson } from './errorHandler.js';
import { type Operation, operation } from './operation.js';
import { Campaigns } from './schemas.js';
import type { ApiConfig, ApiServices } from './services.js';

type Loaded = Awaited<ReturnType<typeof loadCampaigns>>['campaigns'][number];

export function campaignOperations({ clock }: ApiServices, { campaignsDir }: ApiConfig): Operation[] {
  return [
    operation({
      id: 'listCampaigns',
      method: 'get',
      url: '/campaigns',
      group: 'Campaigns',
      scope: 'read',
      summary: 'List the campaigns',
      description: 'As their files are now. Runs keep the campaign as it was when they were started.',
      answers: {
        200: { description: 'All campaigns, and what is wrong with the others.', schema: Campaigns },
      },
      handle: async () => {
        const { campaigns, problems } = await loadCampaigns(campaignsDir);
        return {
          status: 200,
          body: {
            campaigns: campaigns.map((campaign) => campaignJson(campaign, new Date(clock.now()))),
            problems: problems.map((problem) => problemJson(problem, campaignsDir)),
          },
        };
      },
    }),
  ];
}

function campaignJson({ id, definition: { name, subject, schedule } }: Loaded, now: Date) {
  const next = schedule && nextOccurrence(schedule, now);
  const cron = schedule && 'cron' in schedule ? { cron: schedule.cron, timezone: schedule.timezone } : {};
  return {
    campaign: id,
    ...(name !== undefined && { name }),
    subject,
    ...cron,
    ...(hasOwnZones(schedule) && { timezone_field: schedule.timezone_field }),
    ...(next && { next_at: next.toISOString() }),
  };
}
