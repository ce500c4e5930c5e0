/** The words of an alert: plain text first, what happened on top, everything scrubbed before it gets here. */
import type { Batch, Told } from './rules.js';

/** Lines of mails are at most 998 characters (RFC 5322, 2.1.1); subjects are for lists. */
const MAX_SUBJECT = 120;
/** A digest tells of each kind in short. */
const DIGEST_DETAIL_LINES = 3;

export interface AlertMail {
  subject: string;
  text: string;
}

/** @param pagesUrl what paths of pages are under, without a slash at its end. */
export function composeAlert(
  { told }: Batch,
  { prefix, pagesUrl }: { prefix: string; pagesUrl?: string },
): AlertMail {
  const [first] = told;
  if (!first) throw new Error('There is nothing to tell.');
  if (told.length === 1)
    return { subject: subjectOf(prefix, headlineOf(first)), text: `${tellWhole(first, pagesUrl)}\n` };
  const total = told.reduce((sum, { count }) => sum + count, 0);
  const parts = told.map((one) => tellShort(one, pagesUrl));
  return {
    subject: subjectOf(prefix, `${told.length} kinds of trouble, ${headlineOf(first)}, …`),
    text: `${count(total)} occurrences of ${told.length} kinds since they were last told:\n\n${parts.join('\n\n')}\n`,
  };
}

function subjectOf(prefix: string, headline: string): string {
  // A line break would begin another header.
  const line = `${prefix}${headline}`.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > MAX_SUBJECT ? `${line.slice(0, MAX_SUBJECT - 1)}…` : line;
}

function headlineOf({ title, count: times, isCondition, resolvedAt, firstAt }: Told): string {
  if (resolvedAt) return `Resolved after ${duration(resolvedAt - firstAt)}: ${title}`;
  return times > 1 && !isCondition ? `${title} (${count(times)} times)` : title;
}

function tellWhole(told: Told, pagesUrl: string | undefined): string {
  const { detail, isCondition, nextAfterMs } = told;
  const again = isCondition
    ? 'You are told when it is over.'
    : `If it comes again, you are told in ${duration(nextAfterMs)} at the earliest, with a count.`;
  return [
    headlineOf(told),
    '',
    ...facts(told, pagesUrl),
    ...(detail ? ['', detail] : []),
    '',
    '-- ',
    again,
  ].join('\n');
}

function tellShort(told: Told, pagesUrl: string | undefined): string {
  const lines = told.detail.split('\n').filter((line) => line.trim() !== '');
  const kept = lines.slice(0, DIGEST_DETAIL_LINES).map((line) => `  ${line.trim()}`);
  return [`* ${headlineOf(told)}`, ...facts(told, pagesUrl).map((line) => `  ${line}`), ...kept].join('\n');
}

function facts(told: Told, pagesUrl: string | undefined): string[] {
  const { firstAt, lastAt, total, source, page, isCondition, resolvedAt } = told;
  const facts: [string, string | undefined][] = [
    ['Since', time(firstAt)],
    ['Until', resolvedAt ? time(resolvedAt) : undefined],
    ['Last', isCondition || total === 1 ? undefined : time(lastAt)],
    ['How often', isCondition ? undefined : `${count(told.count)} now, ${count(total)} in all`],
    ['Where', source],
    ['Page', page && (page.startsWith('/') ? pagesUrl && pagesUrl + page : page)],
  ];
  return facts.flatMap(([name, value]) => (value ? [`${name.padEnd(10)}${value}`] : []));
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

/** Rounded as people say it. */
function duration(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (ms < 90_000) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
