import { loadCampaign } from '@sendonce/shared/campaign';
import { startRun } from '@sendonce/shared/control';
import { UsageError } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { recordDeed } from '../audit.js';
import { withContext } from '../context.js';
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
        const { settings, queues, runs } = context;
        const campaign = await loadCampaign(settings.campaignsDir, name);
        const start = { scheduledAt, origin: 'manual' } as const;
        const { record, created } = await startRun({ queues, runs }, campaign, start);
        const { id: run, status } = record;
        const outcome = created ? 'done' : 'nothing';
        await recordDeed(context, { action: 'campaign.run', subject: name, outcome, detail: run });
        if (created) print(`Started ${run}.`);
        else print(`${run} exists (${status}): it was started before, and nothing is sent twice.`);
        if (watch) await watchRun(runs, run);
      });
    });
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
