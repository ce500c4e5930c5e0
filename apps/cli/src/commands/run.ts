import { type LoadedCampaign, loadCampaign } from '@sendonce/shared/campaign';
import { type StartedRun, startRun } from '@sendonce/shared/control';
import { UsageError } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { recordDeed } from '../audit.js';
import { type Context, withContext, withDurable } from '../context.js';
import { print } from '../output.js';
import { watchRun } from './watch.js';

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .argument('<campaign>')
    .option('--at <time>', 'the scheduled time, ISO 8601; the same time is the same run (default: now)')
    .option('--watch', 'show the progress until the run has ended')
    .description('start a run by hand')
    .action(async (name: string, { at, watch }: { at?: string; watch?: boolean }) => {
      const scheduledAt = at === undefined ? new Date() : parseTime(at);
      await withContext(async (context) => {
        const campaign = await loadCampaign(context.settings.campaignsDir, name);
        const { record, created } = await startSafely(context, campaign, scheduledAt);
        const { id: run, status } = record;
        const outcome = created ? 'done' : 'nothing';
        await recordDeed(context, { action: 'campaign.run', subject: name, outcome, detail: run });
        if (created) print(`Started ${run}.`);
        else print(`${run} exists (${status}): it was started before, and nothing is sent twice.`);
        if (watch) await watchRun(context.runs, run);
      });
    });
}

/** Who is told that a run was started does not start it again: its record has to outlive a failover. */
async function startSafely(
  context: Context,
  campaign: LoadedCampaign,
  scheduledAt: Date,
): Promise<StartedRun> {
  const { queues } = context;
  const again = `\`sendonce run ${campaign.id} --at ${scheduledAt.toISOString()}\` starts it once.`;
  return withDurable(context, { action: 'campaign.run', subject: campaign.id, again }, ({ runs }) =>
    startRun({ queues, runs }, campaign, { scheduledAt, origin: 'manual' }),
  );
}

function parseTime(text: string): Date {
  const time = new Date(text);
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/i.test(text);
  if (Number.isNaN(time.getTime()) || !hasZone) {
    throw new UsageError(
      `--at: expected a time with its zone, as 2026-11-24T10:00:00Z or 2026-11-24T11:00+01:00, got "${text}"`,
    );
  }
  return time;
}
