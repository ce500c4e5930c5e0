/** Everything that commands print. Results go to stdout, remarks to stderr, so that output can be piped. */
import {
  NUMBER_NAMES,
  partName,
  partsAhead,
  RUN_OUTCOME_NAMES,
  type RunRecord,
  recipientCount,
} from '@sendonce/shared/run';
import Table from 'cli-table3';

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function remark(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A table without colours and with light lines, the same in a pipe and on a terminal. */
export function printTable(head: string[], rows: (string | number)[][]): void {
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  table.push(...rows);
  print(table.toString());
}

export function printNumbers(record: RunRecord): void {
  printTable(
    [record.id, record.pauseReason ? `${record.status}: ${record.pauseReason}` : record.status],
    [
      ...NUMBER_NAMES.map((name) => numberRow(name, record.numbers[name])),
      // Only what has happened: without events all of these are 0.
      ...RUN_OUTCOME_NAMES.filter((name) => record.outcomes[name] > 0).map((name) =>
        numberRow(`  ${name}`, record.outcomes[name]),
      ),
    ],
  );
  printParts(record);
}

/** Of a run that everybody gets on their own clock. */
function printParts(record: RunRecord): void {
  const { parts, unknownZones } = record;
  const [next] = partsAhead(record, Date.now());
  if (next)
    print(
      `Next of ${parts?.length} parts: ${partName(record, next)}, ${formatDate(next.dueAt)} (${next.recipients.toLocaleString('en')} recipients); the last: ${formatDate(parts?.at(-1)?.dueAt)}.`,
    );
  if (unknownZones)
    print(
      `${unknownZones.toLocaleString('en')} recipients have a time zone that does not exist, and get it by the schedule’s.`,
    );
}

function numberRow(name: string, count: number): (string | number)[] {
  return [name, { content: count.toLocaleString('en'), hAlign: 'right' } as never];
}

const BAR_WIDTH = 32;

/** One line: a bar, what is done, and how fast. */
export function progressLine(record: RunRecord, ratePerSecond?: number): string {
  const { numbers, status } = record;
  const total = recipientCount(record);
  const done = total - numbers.queued - numbers.claimed;
  const share = total === 0 ? 0 : done / total;
  const bar = '█'.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH, '░');
  const details = [
    `${numbers.sent.toLocaleString('en')} sent`,
    ...(numbers.rejected ? [`${numbers.rejected} rejected`] : []),
    ...(numbers.in_doubt ? [`${numbers.in_doubt} in doubt`] : []),
    ...(ratePerSecond ? [`${Math.round(ratePerSecond)}/s`] : []),
  ];
  return `${bar} ${(share * 100).toFixed(0).padStart(3)}% of ${total.toLocaleString('en')}  ${status}  ${details.join(', ')}`;
}

/** Rewrites one line on a terminal; elsewhere prints a line only when it is worth one (every few seconds). */
export class LiveLine {
  #last = '';
  #printed = '';
  #printedAt = 0;

  update(text: string): void {
    if (process.stdout.isTTY) process.stdout.write(`\r\u001b[2K${text}`);
    else if (text !== this.#printed && Date.now() - this.#printedAt > 5_000) this.#print(text);
    this.#last = text;
  }

  end(): void {
    if (process.stdout.isTTY) process.stdout.write('\n');
    else if (this.#last && this.#last !== this.#printed) this.#print(this.#last);
  }

  #print(text: string): void {
    print(text);
    this.#printed = text;
    this.#printedAt = Date.now();
  }
}

/** How a date shows: in UTC, to the second, the same for everybody who reads a log. */
export function formatDate(date: Date | undefined): string {
  return date
    ? date
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d{3}Z$/, 'Z')
    : '';
}
