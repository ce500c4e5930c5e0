/**
 * The parts of a run whose recipients are due at different times: when each is due, and for how many. In the run's record, so
 * that whoever looks at a run knows what waits for its time and what for somebody to send it, without looking at its chunks.
 */
import { wallTimeOf } from '../campaign/index.js';
import type { RunRecord } from './runRecord.js';
import type { ChunkTally } from './runs.js';

export interface RunPart {
  dueAt: Date;
  /** Who was queued when the audience was frozen. */
  recipients: number;
}

/** @param parts due time (ms) → recipients. */
export function encodeParts(parts: ReadonlyMap<number, number>): string {
  return [...parts].map(([dueAt, recipients]) => `${dueAt}:${recipients}`).join(' ');
}

/** In the order of their times. */
export function decodeParts(packed: string): RunPart[] {
  return packed
    .split(' ')
    .filter(Boolean)
    .map((part) => {
      const [dueAt = 0, recipients = 0] = part.split(':').map(Number);
      return { dueAt: new Date(dueAt), recipients };
    })
    .sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
}

/** When chunks are due, ms; those that are due at once are missing. */
export function duesOf(tallies: ReadonlyMap<number, ChunkTally>): Map<number, number> {
  return new Map([...tallies].flatMap(([chunk, { dueAt }]) => (dueAt ? [[chunk, dueAt]] : [])));
}

/** Parts whose time has not come. */
export function partsAhead({ parts = [] }: RunRecord, now: number): RunPart[] {
  return parts.filter(({ dueAt }) => dueAt.getTime() > now);
}

/** `09:00 at UTC−5`: what clocks show when a part is due, and where. */
export function partName({ scheduledAt }: RunRecord, { dueAt }: RunPart): string {
  const wallTime = wallTimeOf(scheduledAt.getTime());
  const minutes = Math.round((wallTime - dueAt.getTime()) / 60_000);
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  const offset = `${minutes < 0 ? '−' : '+'}${hours}${rest ? `:${String(rest).padStart(2, '0')}` : ''}`;
  return `${new Date(wallTime).toISOString().slice(11, 16)} at UTC${offset}`;
}

/** Recipients whose time has come and who are not served: somebody has to be at it. Nobody is claimed before their time. */
export function dueRecipients(record: RunRecord, now: number): number {
  const ahead = partsAhead(record, now).reduce((sum, { recipients }) => sum + recipients, 0);
  return Math.max(0, record.numbers.queued - ahead) + record.numbers.claimed;
}
