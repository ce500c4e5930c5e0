/**
 * Makes BullMQ's job schedulers follow the campaign files: one a campaign, under the campaign's id. Doing it twice, or in
 * two processes at once, comes to the same. Never sends, never freezes.
 *
 * The trap: upserting a job scheduler whose next occurrence is overdue deletes that occurrence's job, and the run is
 * skipped in silence (BullMQ 6.7). So an unchanged scheduler is left alone, and before a changed one is replaced, an
 * overdue occurrence gets a job of its own. What is done about lateness is the worker's business (`catch_up`).
 */
import {
  cronZone,
  formatProblem,
  type LoadedCampaign,
  loadCampaigns,
  previousOccurrence,
} from '@sendonce/shared/campaign';
import type { SchedulePauses } from '@sendonce/shared/control';
import { addDueJob, DUE, type Queues, RUNS_JOB_OPTIONS } from '@sendonce/shared/queue';
import { type Runs, runIdOf } from '@sendonce/shared/run';
import type { Clock, Logger } from '@sendonce/shared/runtime';

/** A fixed date that is longer ago than this is not caught up, ms: its run's record may be gone, and it would run again. */
const CATCH_UP_LIMIT_MS = 7 * 86_400_000;

export interface ScheduleSyncServices {
  clock: Clock;
  logger: Logger;
  pauses: SchedulePauses;
  queues: Queues;
  runs: Runs;
}

/** What a look at the files changed; campaign ids. */
export interface SyncReport {
  added: string[];
  changed: string[];
  removed: string[];
  /** Files that are wrong; the schedules of these campaigns stay as they were. */
  broken: string[];
}

export class ScheduleSync {
  readonly #services: ScheduleSyncServices;
  readonly #campaignsDir: string;
  readonly #reported = new Set<string>();

  constructor(services: ScheduleSyncServices, { campaignsDir }: { campaignsDir: string }) {
    this.#services = services;
    this.#campaignsDir = campaignsDir;
  }

  async runOnce(): Promise<SyncReport> {
    const { campaigns: all, problems, ids } = await loadCampaigns(this.#campaignsDir);
    // What operators have paused is as if it had no schedule.
    const paused = await this.#services.pauses.all();
    const campaigns = all.filter(({ id }) => !paused.has(id));
    const report: SyncReport = { added: [], changed: [], removed: [], broken: [] };
    report.broken = ids.filter((id) => !all.some((campaign) => campaign.id === id));
    this.#reportProblems(problems.map(formatProblem));
    for (const campaign of campaigns) await this.#syncCampaign(campaign, report);
    await this.#removeGone(campaigns, report);
    const { added, changed, removed } = report;
    if (added.length + changed.length + removed.length > 0)
      this.#services.logger.info(report, 'schedules follow the campaign files');
    return report;
  }

  async #syncCampaign({ id, definition: { schedule } }: LoadedCampaign, report: SyncReport): Promise<void> {
    if (!schedule) return;
    if ('at' in schedule) return this.#syncFixedDate(id, new Date(schedule.at), report);
    const { runs } = this.#services.queues;
    const existing = await runs.getJobScheduler(id);
    const tz = cronZone(schedule);
    if (existing?.pattern === schedule.cron && existing.tz === tz) return;
    if (existing) await this.#rescueOverdue(id, existing);
    await runs.upsertJobScheduler(
      id,
      { pattern: schedule.cron, tz },
      { name: DUE, data: { campaign: id }, opts: RUNS_JOB_OPTIONS },
    );
    (existing ? report.changed : report.added).push(id);
  }

  /** The old schedule's occurrence that has come but was not taken up; by its run's id it can't run twice. */
  async #rescueOverdue(
    id: string,
    { pattern, tz, next }: { pattern?: string; tz?: string; next?: number },
  ): Promise<void> {
    const now = this.#services.clock.now();
    if (!next || next > now || !pattern || !tz) return;
    const latest = previousOccurrence({ cron: pattern, timezone: tz }, new Date(now)) ?? new Date(next);
    await addDueJob(this.#services.queues.runs, id, latest, 0, tz);
  }

  /** One delayed job, with an id of its own; the run's record keeps it from running again. */
  async #syncFixedDate(id: string, at: Date, report: SyncReport): Promise<void> {
    const { clock, queues, runs } = this.#services;
    await this.#removeScheduler(id, report);
    const delayMs = at.getTime() - clock.now();
    if (delayMs < -CATCH_UP_LIMIT_MS || (await runs.find(runIdOf(id, at)))) return;
    const job = await queues.runs.getJob(`due-${runIdOf(id, at)}`);
    if (job) return;
    await addDueJob(queues.runs, id, at, delayMs);
    report.added.push(id);
  }

  async #removeGone(campaigns: LoadedCampaign[], report: SyncReport): Promise<void> {
    const withCron = new Set(
      campaigns
        .filter(({ definition }) => definition.schedule && 'cron' in definition.schedule)
        .map(({ id }) => id),
    );
    for (const { key } of await this.#services.queues.runs.getJobSchedulers()) {
      if (!withCron.has(key) && !report.broken.includes(key)) await this.#removeScheduler(key, report);
    }
    await this.#removeStaleFixedDates(campaigns, report);
  }

  /** Fixed dates whose campaign is gone, or has another date by now. */
  async #removeStaleFixedDates(campaigns: LoadedCampaign[], report: SyncReport): Promise<void> {
    const wanted = new Set(
      campaigns.flatMap(({ id, definition: { schedule } }) =>
        schedule && 'at' in schedule ? [`due-${runIdOf(id, new Date(schedule.at))}`] : [],
      ),
    );
    for (const job of await this.#services.queues.runs.getDelayed()) {
      const campaign = (job.data as { campaign?: string }).campaign ?? '';
      if (!job.id?.startsWith('due-') || wanted.has(job.id) || report.broken.includes(campaign)) continue;
      await job.remove();
      report.removed.push(campaign);
    }
  }

  async #removeScheduler(id: string, report: SyncReport): Promise<void> {
    if (await this.#services.queues.runs.removeJobScheduler(id)) report.removed.push(id);
  }

  /** Each problem once, until it is mended or changes. */
  #reportProblems(problems: string[]): void {
    for (const problem of problems) {
      if (!this.#reported.has(problem))
        this.#services.logger.error({ problem }, 'campaign file is wrong, its schedule stays as it was');
    }
    this.#reported.clear();
    for (const problem of problems) this.#reported.add(problem);
  }
}
