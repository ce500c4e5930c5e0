/**
 * The record of a run: when it was scheduled, pinned, frozen, paused, finished, and its numbers. It outlives the run's
 * jobs, so that a job which comes back weeks later finds that it has nothing to do.
 */
import { type RecipientState, STATE_NAMES } from '../ledger/index.js';
import { type OutcomeCounts, RUN_OUTCOME_NAMES } from './mailOutcomes.js';

/** The same words everywhere: commands, pages, exports, logs. */
export interface RunNumbers extends Record<RecipientState, number> {
  /** All rows of the audience; known once the run is frozen. */
  audience: number;
  /** Dropped while freezing. */
  duplicates: number;
  invalid: number;
}

export const NUMBER_NAMES = [
  'audience',
  'duplicates',
  'invalid',
  'suppressed',
  'queued',
  'claimed',
  'sent',
  'rejected',
  'in_doubt',
  'cancelled',
] as const satisfies (keyof RunNumbers)[];

/**
 * freezing: the audience is being read. collecting: single messages are taken in, and sent. sending: somebody is queued or claimed. settling: only doubts are left.
 * finished: every recipient is in a final state. Derived from the record, never stored.
 */
export const RUN_STATUSES = [
  'freezing',
  'collecting',
  'sending',
  'settling',
  'paused',
  'cancelled',
  'finished',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Why a run pauses. Those that are not the operator's or the campaign's are tried again by themselves. */
export type PauseCause =
  | 'operator'
  /** Its audience or its mails are wrong: somebody has to mend them. */
  | 'campaign'
  /** SES does not let the account send: paused, suspended, an identity or a configuration set that is missing. */
  | 'account'
  /** The day's quota is used up. */
  | 'quota'
  /** Too many bounces or complaints. */
  | 'reputation'
  /** Redis does not confirm claims. */
  | 'redis';

export interface Pause {
  cause: PauseCause;
  /** For people, without addresses. */
  reason: string;
  /** When it may be tried again by itself; never before. */
  retryAt?: Date;
}

/** `manual`: by an operator. `api`: by a program. `messages`: single messages, see singleMessages/. */
export const RUN_ORIGINS = ['schedule', 'manual', 'api', 'messages'] as const;
export type RunOrigin = (typeof RUN_ORIGINS)[number];

export interface RunRecord {
  id: string;
  campaign: string;
  origin: RunOrigin;
  /** The request that the run stands for, where a program started it. */
  request?: string;
  /** Hash of the pinned campaign. */
  hash: string;
  status: RunStatus;
  /** 0 until frozen; of single messages the numbers that were handed out, some of which may never become chunks. */
  chunks: number;
  numbers: RunNumbers;
  /** What SES's events told of the mails. */
  outcomes: OutcomeCounts;
  scheduledAt: Date;
  createdAt: Date;
  frozenAt?: Date;
  pausedAt?: Date;
  pauseReason?: string;
  pauseCause?: PauseCause;
  /** Not before this time the run is tried again by itself. */
  retryAt?: Date;
  /** Told of what is wrong, an operator has resumed the run. */
  resumedByOperatorAt?: Date;
  cancelledAt?: Date;
  finishedAt?: Date;
  /** When a number changed last. */
  touchedAt?: Date;
}

/** @param fields the record's hash in Redis. Undefined when it is empty: there is no such run. */
export function toRunRecord(fields: Record<string, string>): RunRecord | undefined {
  if (!fields.id) return undefined;
  const numbers = toNumbers(fields);
  const date = (name: string): Date | undefined =>
    fields[name] ? new Date(Number(fields[name])) : undefined;
  const optional = {
    request: fields.request,
    frozenAt: date('frozen_at'),
    pausedAt: date('paused_at'),
    pauseReason: fields.pause_reason,
    pauseCause: fields.pause_cause,
    retryAt: date('retry_at'),
    resumedByOperatorAt: date('resumed_by_operator_at'),
    cancelledAt: date('cancelled_at'),
    finishedAt: date('finished_at'),
    touchedAt: date('touched_at'),
  };
  return {
    id: fields.id,
    campaign: fields.campaign ?? '',
    origin: RUN_ORIGINS.find((origin) => origin === fields.origin) ?? 'manual',
    hash: fields.hash ?? '',
    status: statusOf(fields, numbers),
    chunks: Number(fields.chunks ?? 0),
    numbers,
    outcomes: Object.fromEntries(
      RUN_OUTCOME_NAMES.map((name) => [name, Number(fields[name] ?? 0)]),
    ) as OutcomeCounts,
    scheduledAt: new Date(Number(fields.scheduled_at)),
    createdAt: new Date(Number(fields.created_at)),
    ...(Object.fromEntries(
      Object.entries(optional).filter(([, value]) => value !== undefined),
    ) as Partial<RunRecord>),
  };
}

function toNumbers(fields: Record<string, string>): RunNumbers {
  const read = (name: string) => Number(fields[name] ?? 0);
  const states = Object.fromEntries(STATE_NAMES.map((state) => [state, read(state)])) as Record<
    RecipientState,
    number
  >;
  return { audience: read('audience'), duplicates: read('duplicates'), invalid: read('invalid'), ...states };
}

function statusOf(fields: Record<string, string>, numbers: RunNumbers): RunStatus {
  if (fields.cancelled_at) return 'cancelled';
  if (fields.paused_at) return 'paused';
  if (!fields.frozen_at) return fields.origin === 'messages' ? 'collecting' : 'freezing';
  if (numbers.queued + numbers.claimed > 0) return 'sending';
  return numbers.in_doubt > 0 ? 'settling' : 'finished';
}

/** Recipients who are, or will be, served: everybody but the dropped. */
export function recipientCount({ numbers }: RunRecord): number {
  return STATE_NAMES.reduce((sum, state) => sum + numbers[state], 0);
}
