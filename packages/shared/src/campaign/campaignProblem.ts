/** What is wrong in a campaign's files: where, and what was expected. */
import { relative } from 'node:path';
import { UsageError } from '../runtime/index.js';

export interface CampaignProblem {
  campaign: string;
  file: string;
  /** From 1. */
  line?: number;
  column?: number;
  message: string;
  /** What would have been right, when the message does not say. */
  expected?: string;
}

/** `campaigns/x/campaign.yaml:7:3  schedule.timezone: there is no time zone "Europe/Berln", did you mean "Europe/Berlin"?` */
export function formatProblem({ file, line, column, message, expected }: CampaignProblem): string {
  const path = relative(process.cwd(), file);
  const place = [path === '' || path.startsWith('..') ? file : path, line, column];
  const wanted = expected ? ` (expected ${expected})` : '';
  return `${place.filter((part) => part !== undefined).join(':')}  ${message}${wanted}`;
}

/** A campaign's files are wrong; carries every problem. */
export class CampaignFileError extends UsageError {
  override readonly name = 'CampaignFileError';
  constructor(readonly problems: CampaignProblem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}
