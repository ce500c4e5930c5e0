import {
  type Campaign,
  formatProblem,
  isMessageTemplate,
  loadCampaigns,
  nextOccurrence,
} from '@sendonce/shared/campaign';
import { readSettings } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { formatDate, printTable, remark } from '../output.js';

export function addCampaignsCommand(program: Command): void {
  program
    .command('campaigns')
    .description('list the campaigns, their schedules and next occurrences')
    .action(async () => {
      const { campaigns, problems } = await loadCampaigns(readSettings().campaignsDir);
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

function describeSchedule(definition: Campaign): string {
  const { schedule } = definition;
  if (isMessageTemplate(definition)) return 'single messages';
  if (!schedule) return 'by hand';
  return 'at' in schedule ? `once, ${schedule.at}` : `${schedule.cron} (${schedule.timezone})`;
}
