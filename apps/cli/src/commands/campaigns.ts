import { describeSchedule, formatProblem, loadCampaigns, nextOccurrence } from '@sendonce/shared/campaign';
import { readCampaignsDir } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { formatDate, printTable, remark } from '../output.js';

export function addCampaignsCommand(program: Command): void {
  program
    .command('campaigns')
    .description('list the campaigns, their schedules and next occurrences')
    .action(async () => {
      const { campaigns, problems } = await loadCampaigns(readCampaignsDir());
      printTable(
        ['campaign', 'schedule', 'next (UTC)', 'subject'],
        campaigns.map(({ id, definition }) => {
          const { schedule } = definition;
          const next = schedule && nextOccurrence(schedule, new Date());
          return [id, describeSchedule(definition), formatDate(next) || '–', definition.subject];
        }),
      );
      for (const problem of problems) remark(formatProblem(problem));
      if (problems.length > 0) process.exitCode = 2;
    });
}
