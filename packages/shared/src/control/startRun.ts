/**
 * Starts a run: by a schedule, by hand, or by a program. Whoever dies in the middle does it again: the run exists once, its
 * campaign is pinned by whoever was first, and its freezing has one job.
 */
import { assertRunnable, type LoadedCampaign, snapshotOf } from '../campaign/index.js';
import { addFreezeJob } from '../queue/index.js';
import type { RunOrigin, RunRecord } from '../run/index.js';
import type { ControlServices } from './runControl.js';

export type StartServices = Pick<ControlServices, 'queues' | 'runs'>;

export interface RunStart {
  /** The run's id comes from it, to the second. */
  scheduledAt: Date;
  origin: RunOrigin;
  /** Of a run that a request stands for: see `RunRequests`. */
  request?: string;
}

export interface StartedRun {
  record: RunRecord;
  /** False: the run was there, nothing is sent twice. */
  created: boolean;
}

/** @throws {NotRunnableError} */
export async function startRun(
  services: StartServices,
  campaign: LoadedCampaign,
  { scheduledAt, origin, request }: RunStart,
): Promise<StartedRun> {
  assertRunnable(campaign);
  const { runs } = services;
  const { run, created } = await runs.create(snapshotOf(campaign), scheduledAt, origin, request);
  const record = await runs.get(run);
  await ensureFreezing(services, record);
  return { record, created };
}

/** Again for a run that is not frozen: whoever created it may have died before the job was on the queue. */
export async function ensureFreezing({ queues }: StartServices, { id, frozenAt }: RunRecord): Promise<void> {
  if (!frozenAt) await addFreezeJob(queues.runs, id);
}
