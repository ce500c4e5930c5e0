/** A run for programs: the same words everywhere, in snake case, times in ISO 8601. */
import { type OutcomeCounts, RUN_OUTCOME_NAMES } from './mailOutcomes.js';
import {
  NUMBER_NAMES,
  type PauseCause,
  type RunNumbers,
  type RunOrigin,
  type RunRecord,
  type RunStatus,
} from './runRecord.js';

export interface RunJson extends RunNumbers, OutcomeCounts {
  run: string;
  campaign: string;
  origin: RunOrigin;
  status: RunStatus;
  pause_reason?: string;
  pause_cause?: PauseCause;
  /** Not before this time the run is tried again by itself. */
  retry_at?: string;
  scheduled_at: string;
  created_at: string;
  frozen_at?: string;
  paused_at?: string;
  cancelled_at?: string;
  finished_at?: string;
  /** Of its last part, where recipients' own time zones say when; else missing. */
  last_due_at?: string;
  chunks: number;
}

export function runJson(record: RunRecord): RunJson {
  const { numbers, outcomes, pauseReason, pauseCause } = record;
  return {
    run: record.id,
    campaign: record.campaign,
    origin: record.origin,
    status: record.status,
    ...(pauseReason !== undefined && { pause_reason: pauseReason }),
    ...(pauseCause !== undefined && { pause_cause: pauseCause }),
    ...time('retry_at', record.retryAt),
    scheduled_at: record.scheduledAt.toISOString(),
    created_at: record.createdAt.toISOString(),
    ...time('frozen_at', record.frozenAt),
    ...time('paused_at', record.pausedAt),
    ...time('cancelled_at', record.cancelledAt),
    ...time('finished_at', record.finishedAt),
    ...time('last_due_at', record.parts?.at(-1)?.dueAt),
    chunks: record.chunks,
    ...named(NUMBER_NAMES, numbers),
    ...named(RUN_OUTCOME_NAMES, outcomes),
  };
}

function time<Name extends string>(name: Name, at: Date | undefined): Partial<Record<Name, string>> {
  return at ? ({ [name]: at.toISOString() } as Record<Name, string>) : {};
}

/** In the order of the names, which is the one of pages and tables. */
function named<Name extends string>(
  names: readonly Name[],
  counts: Record<Name, number>,
): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, counts[name]])) as Record<Name, number>;
}
