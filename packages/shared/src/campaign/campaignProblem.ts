/** What is wrong in a campaign's files: where, and what was expected. */
import { relative } from 'node:path';
import { UsageError } from '../runtime/index.js';

export interface CampaignProblem {
  campaign: string;
  file: string;
  line?: number;
  column?: number;
  message: string;
}

/** `campaigns/x/campaign.yaml:7:3: schedule.timezone: there is no time zone "Europe/Berln"`, as editors and grep have it. */
export function formatProblem({ file, line, column, message }: CampaignProblem): string {
  const place = [relative(process.cwd(), file) || file, line, column]
    .filter((part) => part !== undefined)
    .join(':');
  return `${place}: ${message}`;
}

export class CampaignFileError extends UsageError {
  override readonly name = 'CampaignFileError';
  constructor(readonly problems: CampaignProblem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}
