import { formatProblem, loadCampaigns } from '@sendonce/shared/campaign';
import { readSettings } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { print, remark } from '../output.js';

export function addValidateCommand(program: Command): void {
  program
    .command('validate')
    .description('check all campaign files; every error with file, line and what was expected')
    .action(async () => {
      const { campaignsDir } = readSettings();
      const { campaigns, problems } = await loadCampaigns(campaignsDir);
      for (const problem of problems) remark(formatProblem(problem));
      if (problems.length > 0) {
        remark(`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} in ${campaignsDir}`);
        process.exitCode = 2;
        return;
      }
      print(
        `${campaigns.length} ${campaigns.length === 1 ? 'campaign is' : 'campaigns are'} valid: ${campaigns.map(({ id }) => id).join(', ')}`,
      );
    });
}
