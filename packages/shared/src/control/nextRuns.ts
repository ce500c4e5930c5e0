/** The occurrences that come next: BullMQ's delayed `due` jobs, one a schedule. */
import { DUE, type DuePayload, type Queues } from '../queue/index.js';
import type { SchedulePauses } from './schedulePauses.js';

/** As many schedules as an installation may have, and room; the nearest are shown. */
const MOST = 200;

export interface NextRun {
  campaign: string;
  at: Date;
  /** Of the schedule. */
  zone: string;
}

export async function nextRuns({
  queues,
  pauses,
}: {
  queues: Queues;
  pauses: SchedulePauses;
}): Promise<NextRun[]> {
  const [jobs, paused] = await Promise.all([queues.runs.getDelayed(0, MOST - 1), pauses.all()]);
  return jobs
    .filter(({ name }) => name === DUE)
    .map(({ data, opts, timestamp, delay }) => ({
      campaign: (data as DuePayload).campaign,
      at: new Date((data as DuePayload).scheduledAt ?? timestamp + delay),
      zone: (opts as { repeat?: { tz?: string } }).repeat?.tz ?? 'UTC',
    }))
    .filter(({ campaign }) => !paused.has(campaign))
    .sort((a, b) => a.at.getTime() - b.at.getTime());
}
