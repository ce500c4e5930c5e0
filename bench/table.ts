/** Figures of rounds, and what they have to reach. */
import Table from 'cli-table3';

export interface Target {
  what: string;
  /** In each round; only the ratio of what was measured in the same round counts. */
  values: number[];
  atLeast?: number;
  atMost?: number;
  unit?: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Prints the targets, green or red. @returns whether all are reached, by their medians. */
export function judge(targets: readonly Target[]): boolean {
  const table = new Table({
    head: ['', 'median', 'lowest – highest', 'target', ''],
    style: { head: [], border: [] },
  });
  let isReached = true;
  for (const { what, values, atLeast, atMost, unit = '' } of targets) {
    const value = median(values);
    const isGood = (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
    isReached &&= isGood;
    const range = values.length > 1 ? `${show(Math.min(...values))} – ${show(Math.max(...values))}` : '';
    const target =
      atLeast !== undefined ? `≥ ${show(atLeast)}` : atMost !== undefined ? `≤ ${show(atMost)}` : '';
    const verdict = target === '' ? '' : isGood ? paint(32, 'reached') : paint(31, 'missed');
    table.push([what, `${show(value)}${unit}`, range, target && `${target}${unit}`, verdict]);
  }
  process.stdout.write(`${table.toString()}\n`);
  return isReached;
}

function show(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

function paint(colour: number, text: string): string {
  return process.stdout.isTTY ? `\u001b[${colour}m${text}\u001b[0m` : text;
}
