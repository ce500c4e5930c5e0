/**
 * After a restore: what the data do not know to have been sent is taken for sent. Runs that are open in them are cancelled,
 * and occurrences of schedules since then get a run that is cancelled before it begins: nobody hears of any of them again.
 */
import { loadCampaigns, occurrencesBetween, snapshotOf } from '../campaign/index.js';
import { type ControlServices, cancelRun } from '../control/index.js';
import { runIdOf } from '../run/index.js';

/** Nothing older than this is caught up by anybody, ms. */
const LONGEST_MS = 7 * 86_400_000;
/** A backup may be of the moment in which an occurrence was due, ms. */
const MARGIN_MS = 10 * 60_000;
const REASON = 'skipped after a restore: it may have been sent';

/** @param dataAt when the data were the newest. @returns ids of the runs. */
export async function skipForgotten(
  services: ControlServices,
  { campaignsDir, dataAt, now }: { campaignsDir: string; dataAt: Date; now: Date },
): Promise<string[]> {
  const { runs } = services;
  const skipped: string[] = [];
  for (const run of await runs.open()) if (await cancelRun(services, run, REASON)) skipped.push(run);
  const after = new Date(Math.max(dataAt.getTime() - MARGIN_MS, now.getTime() - LONGEST_MS));
  const { campaigns } = await loadCampaigns(campaignsDir);
  for (const campaign of campaigns) {
    const { schedule } = campaign.definition;
    if (!schedule) continue;
    for (const at of occurrencesBetween(schedule, after, now)) {
      if (await runs.find(runIdOf(campaign.id, at))) continue;
      const { run } = await runs.create(snapshotOf(campaign), at, 'schedule');
      if (await cancelRun(services, run, REASON)) skipped.push(run);
    }
  }
  return skipped;
}
