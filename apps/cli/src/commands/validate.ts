import { formatProblem, loadCampaigns } from '@sendonce/shared/campaign';
import { partsWithoutUnsubscribeLink } from '@sendonce/shared/message';
import { readCampaignsDir } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { print, remark } from '../output.js';

export function addValidateCommand(program: Command): void {
  program
    .command('validate')
    .description('check all campaign files; every error with file, line and what was expected')
    .action(async () => {
      const campaignsDir = readCampaignsDir();
      const { campaigns, problems } = await loadCampaigns(campaignsDir, { asksSources: true });
      for (const problem of problems) remark(formatProblem(problem));
      if (problems.length > 0) {
        remark(`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in ${campaignsDir}`);
        process.exitCode = 2;
        return;
      }
      for (const campaign of campaigns) {
        const parts = partsWithoutUnsubscribeLink(campaign);
        if (parts.length > 0)
          remark(
            `${campaign.id}: no {{ unsubscribe_url }} in the ${parts.join(' and the ')} body; mail programs show the link of the header, and not all do`,
          );
      }
      print(
        `${campaigns.length} ${campaigns.length === 1 ? 'campaign is' : 'campaigns are'} valid: ${campaigns.map(({ id }) => id).join(', ')}`,
      );
    });
}
