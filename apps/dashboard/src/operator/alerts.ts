/** What needs a person, the gravest first: the red lines on top of the overview. */
import type { Durability } from '@sendonce/shared/ledger';
import { count } from './format.js';
import type { Overview } from './overviewData.js';

export interface OverviewAlert {
  level: 'bad' | 'warn';
  text: string;
  href?: string;
}

export function alertsOf(overview: Overview): OverviewAlert[] {
  const { account, durability, open, reputation, waitingJobs, workers } = overview;
  return [
    ...(account?.closed ? [bad(`Amazon SES lets the account send nothing: ${account.closed}`)] : []),
    ...open
      .filter(({ pausedAt, pauseCause }) => pausedAt && pauseCause !== 'operator')
      .map(({ id, pauseReason = '' }) => bad(`${id} is paused: ${pauseReason}`, `/runs/${id}`)),
    ...open
      .filter(({ numbers }) => numbers.in_doubt > 0)
      .map(({ id, numbers }) =>
        bad(`${count(numbers.in_doubt)} in doubt in ${id}: did they get the mail?`, `/runs/${id}/in-doubt`),
      ),
    ...(waitingJobs > 0 && workers === 0
      ? [bad(`No worker is running, and ${count(waitingJobs)} chunks wait.`)]
      : []),
    ...(keepsClaims(durability) ? [] : [bad(`Redis would lose claims in a crash: ${durability.detail}`)]),
    ...(reputation.verdict === 'pause' ? [bad(reputation.reason)] : []),
    ...(reputation.verdict === 'warning' ? [warn(reputation.reason)] : []),
    ...(keepsClaims(durability) && durability.mend
      ? [warn(`Redis keeps less than it could: ${durability.detail}`)]
      : []),
    ...(account?.isSandbox
      ? [warn('The account is in SES’s sandbox: mails go to verified addresses only.')]
      : []),
  ];
}

/** Whether a claim that was made is known after a crash of Redis's machine. */
export function keepsClaims({ guarantee, evicts }: Durability): boolean {
  return !evicts && guarantee !== 'none' && guarantee !== 'every-second';
}

function bad(text: string, href?: string): OverviewAlert {
  return { level: 'bad', text, ...(href && { href }) };
}

function warn(text: string): OverviewAlert {
  return { level: 'warn', text };
}
