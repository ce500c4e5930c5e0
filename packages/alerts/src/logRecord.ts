/** From a line of pino's to an occurrence: the sentence is the title, ids and the error the detail. */
import { fingerprintOf } from './fingerprint.js';
import type { Occurrence } from './rules.js';
import type { Scrubber } from './scrub.js';

/** pino's ERROR; `fatal` is above. */
const ERROR_LEVEL = 50;

/** On a line that is no alert: because it is about alerts, or because a condition tells of it. */
export const NO_ALERT = { alert: false };

/** Of all fields together, and of the error's own: the whole state of the alerts is one small key. */
const MAX_FIELDS_TEXT = 4_000;

interface LoggedError {
  type?: string;
  message?: string;
  stack?: string;
  [field: string]: unknown;
}

/** What pino writes of its own accord, or the mail says elsewhere. */
const NOT_DETAILS = new Set([
  'level',
  'time',
  'pid',
  'hostname',
  'msg',
  'err',
  'v',
  'service',
  'name',
  'alert',
]);

/**
 * @param line JSON as pino writes it.
 * @param pageOf a page that helps, by the line's fields.
 * @returns undefined for a line that is no alert.
 */
export function occurrenceOf(
  line: Record<string, unknown>,
  { scrubber, source, pageOf }: RecordContext,
): Occurrence | undefined {
  if (Number(line.level) < ERROR_LEVEL || line.alert === false) return undefined;
  const error = (typeof line.err === 'object' && line.err ? line.err : {}) as LoggedError;
  const { type, message, stack, ...rest } = error;
  const title = String(line.msg ?? message ?? 'an error without a word');
  const fields = Object.fromEntries(Object.entries(line).filter(([name]) => !NOT_DETAILS.has(name)));
  const page = pageOf?.(line);
  const where = line.service ?? line.name;
  return {
    fingerprint: fingerprintOf({
      title,
      ...(type && { type }),
      ...(message && { message }),
      ...(stack && { stack }),
    }),
    title: scrubber.text(title),
    detail: [
      ...(message && message !== title ? [scrubber.text(`${type ?? 'Error'}: ${message}`)] : []),
      ...tell(scrubber.value(fields)),
      ...(stack ? ['', scrubber.text(stack)] : []),
      ...tell(scrubber.value(rest)),
    ].join('\n'),
    source: where && !source.startsWith(String(where)) ? `${where}, ${source}` : source,
    ...(page && { page }),
  };
}

export interface RecordContext {
  scrubber: Scrubber;
  source: string;
  pageOf?: ((line: Record<string, unknown>) => string | undefined) | undefined;
}

function tell(fields: unknown): string[] {
  const lines = Object.entries(fields as object).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value, null, 2)}`,
  );
  const text = lines.join('\n');
  if (text === '') return [];
  return [text.length > MAX_FIELDS_TEXT ? `${text.slice(0, MAX_FIELDS_TEXT)}… (cut)` : text];
}
