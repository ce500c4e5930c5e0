import { formatProblem, loadCampaigns } from '@sendonce/shared/campaign';
import type { Check } from './finding.js';

export const checkCampaigns: Check = {
  subject: 'Campaign files',
  why: 'A campaign whose files are wrong does not run at its time.',
  look: async ({ settings: { campaignsDir } }) => {
    const { campaigns, problems } = await loadCampaigns(campaignsDir, { asksSources: true });
    const [first] = problems;
    const detail = first
      ? `${problems.length} problems in ${campaignsDir}, the first: ${formatProblem(first)}`
      : `${campaigns.length} valid in ${campaignsDir}`;
    return [
      {
        check: 'Campaign files',
        verdict: first ? 'error' : 'ok',
        detail,
        mend: 'npm run sendonce -- validate',
      },
    ];
  },
};
