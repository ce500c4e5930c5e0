/** A list with mistakes in it: counts are exact, and a worker's memory does not grow with the list. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { makeCampaignDir } from '@sendonce/shared/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { System } from './system.js';

const ROWS = 75_000;
/** Enough that a worker's young generation has grown to what it will be. */
const FEW_ROWS = 25_000;
/** 1 % repeated, in other letters; 1 % malformed. */
const REPEATED = ROWS / 100;
const MALFORMED = ROWS / 100;
const FLAT_WITHIN_MB = 30;

let system: System;
beforeAll(async () => {
  system = await System.start({
    campaignsDir: makeCampaignDir(
      { id: 'small', csv: makeMixedCsv(FEW_ROWS) },
      { id: 'large', csv: makeMixedCsv(ROWS) },
    ),
  });
});
afterAll(() => system.stop());

function makeMixedCsv(rows: number): string {
  const lines = Array.from({ length: rows }, (_, index) => {
    if (index % 100 === 50) return `READER${index - 50}@Example.COM,Again`;
    if (index % 100 === 75) return `no address ${index},Bad`;
    return `reader${index}@example.com,"Reader, ${index}"`;
  });
  return `email,first_name\r\n${lines.join('\r\n')}\r\n`;
}

/** The most memory that a process ever had, MB; only Linux tells it. */
function peakMemoryMb(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

async function runOnFreshWorker(campaign: string): Promise<{ run: string; peakMb: number }> {
  const worker = system.spawn('worker', { SES_MAX_RATE: '100000' });
  const run = await system.startRun(campaign);
  await system.whenFinished(run);
  const peakMb = process.platform === 'linux' ? peakMemoryMb(worker) : 0;
  await system.kill(worker, 'SIGTERM');
  return { run, peakMb };
}

it('is counted exactly, and costs a worker no more memory than a short one', async () => {
  const small = await runOnFreshWorker('small');
  const large = await runOnFreshWorker('large');
  const sent = ROWS - REPEATED - MALFORMED;
  const { numbers } = await system.runs.get(large.run);
  expect(numbers).toMatchObject({
    audience: ROWS,
    duplicates: REPEATED,
    invalid: MALFORMED,
    sent,
    rejected: 0,
    in_doubt: 0,
  });
  expect(await system.inbox(large.run)).toEqual({ messages: sent, recipients: sent, duplicates: 0 });
  const [first] = await system.runs.invalidRows(large.run);
  expect(first).toEqual({ line: 77, reason: expect.any(String) });
  expect(large.peakMb - small.peakMb).toBeLessThan(FLAT_WITHIN_MB);
});
