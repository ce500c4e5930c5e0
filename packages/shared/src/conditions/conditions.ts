/**
 * What needs a person, the gravest first: a table from how the installation stands to sentences. The red lines on top of
 * the dashboard and the mails to administrators are the same.
 */
import type { Durability } from '../ledger/index.js';
import { dueRecipients } from '../run/index.js';
import type { Standing } from './standing.js';

/** Beyond this an occurrence that is due is late, ms: BullMQ moves due jobs every few seconds. */
const LATE_MS = 120_000;

export interface Trouble {
  /** The same as long as it is the same trouble. */
  key: string;
  /** `bad` and `warning` are mailed; `hint` is only shown. */
  level: 'bad' | 'warning' | 'hint';
  text: string;
  /** Path of the dashboard's page that helps. */
  page?: string;
}

export function troublesOf(standing: Standing): Trouble[] {
  const { account, durability, hold, next, now, open, reputation, waitingJobs, workers } = standing;
  const due = open
    .filter(({ status }) => status === 'sending')
    .reduce((sum, run) => sum + dueRecipients(run, now), 0);
  const troubles: (Trouble | false | undefined)[] = [
    hold !== undefined && bad('held', `Nothing is sent until somebody decides: ${hold.reason}.`, '/hold'),
    account?.closed !== undefined &&
      bad('account-closed', `Amazon SES lets the account send nothing: ${account.closed}`),
    ...open
      .filter(({ pausedAt, pauseCause }) => pausedAt && pauseCause !== 'operator')
      .map(({ id, pauseReason = '' }) =>
        bad(`paused:${id}`, `${id} is paused: ${pauseReason}`, `/runs/${id}`),
      ),
    ...open
      .filter(({ numbers }) => numbers.in_doubt > 0)
      .map(({ id, numbers }) =>
        bad(
          `in-doubt:${id}`,
          `${count(numbers.in_doubt)} in doubt in ${id}: did they get the mail?`,
          `/runs/${id}/in-doubt`,
        ),
      ),
    waitingJobs > 0 &&
      workers === 0 &&
      bad('no-worker', `No worker is running, and ${count(waitingJobs)} chunks wait.`, '/queues/queue/sends'),
    // Jobs that wait for their time are put among the waiting ones by workers, so without one nobody does.
    waitingJobs === 0 &&
      due > 0 &&
      workers === 0 &&
      bad('no-worker', `No worker is running, and ${count(due)} recipients are due.`, '/runs'),
    ...next
      .filter(({ at }) => now - at.getTime() > LATE_MS)
      .map(({ campaign, at }) =>
        bad(
          `late:${campaign}`,
          `${campaign} was due at ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC and has not begun.`,
          `/campaigns/${campaign}`,
        ),
      ),
    !keepsClaims(durability) && bad('durability', `Redis would lose claims in a crash: ${durability.detail}`),
    reputation.verdict === 'pause' && bad('reputation', reputation.reason),
    reputation.verdict === 'warning' && { key: 'reputation', level: 'warning', text: reputation.reason },
    keepsClaims(durability) &&
      durability.mend !== undefined &&
      hint('durability-hint', `Redis keeps less than it could: ${durability.detail}`),
    account?.isSandbox &&
      hint('sandbox', 'The account is in SES’s sandbox: mails go to verified addresses only.'),
  ];
  return troubles.filter((trouble) => trouble !== false && trouble !== undefined);
}

/** Whether a claim that was made is known after a crash of Redis's machine. */
export function keepsClaims({ guarantee, evicts }: Durability): boolean {
  return !evicts && guarantee !== 'none' && guarantee !== 'every-second';
}

function bad(key: string, text: string, page?: string): Trouble {
  return { key, level: 'bad', text, ...(page && { page }) };
}

function hint(key: string, text: string): Trouble {
  return { key, level: 'hint', text };
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
