/**
 * Deploys in the middle of a run. SIGTERM at any moment: what SES was asked is settled, what it was not asked goes back, so
 * nobody is lost, doubled or in doubt; and the process is gone within the 10 s that container platforms wait.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { afterEach, expect, it } from 'vitest';
import { everyone, System } from './system.js';

type Program = 'worker' | 'scheduler' | 'dashboard';

/** What `docker stop` and Kubernetes' default leave at the least, ms. */
const PATIENCE_MS = 10_000;
const MOMENTS = 20;
const SEED = Number(process.env.SHUTDOWN_SEED ?? 7);

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup(recipients: number, env: Record<string, string> = {}) {
  const dated = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 10_000);
  const campaignsDir = makeCampaignDir(
    { csv: makeCsv(recipients) },
    { id: 'dated', csv: makeCsv(40), settings: `schedule: { at: "${dated.toISOString()}" }\n` },
  );
  const system = await System.start({ campaignsDir, env });
  cleanups.push(() => system.stop());
  return { system, datedRun: `dated--${dated.toISOString().replace(/[-:]|\.\d+/g, '')}` };
}

/** @param spread ms; moments are somewhere in it. */
function momentsOf(program: Program, spread: number): number[] {
  const random = xoroshiro128plus(SEED * 31 + program.charCodeAt(0));
  return Array.from({ length: MOMENTS }, () => ((random.next() >>> 0) / 2 ** 32) * spread);
}

async function terminate(child: ChildProcess, ...more: NodeJS.Signals[]) {
  const since = performance.now();
  const exited = once(child, 'exit');
  for (const signal of ['SIGTERM', ...more] as NodeJS.Signals[]) child.kill(signal);
  const [code, signal] = await exited;
  return { code: code as number | null, signal: signal as string | null, ms: performance.now() - since };
}

/** Who was asked about must have been written down: claims that nobody holds any more are doubts to come. */
async function expectNothingOpen(system: System, run: string): Promise<void> {
  const { chunks } = await system.runs.get(run);
  for (let chunk = 0; chunk < chunks; chunk++)
    expect(await system.ledger.tally({ run, chunk })).toMatchObject({ claimed: 0, in_doubt: 0 });
}

/** Starts the program, waits for a moment, ends it; over and over. */
async function stopAt(moments: number[], system: System, program: Program, after: () => Promise<void>) {
  for (const moment of moments) {
    const { child } = await system.spawnWatched(program, program === 'worker' ? { SES_MAX_RATE: '400' } : {});
    await sleep(moment);
    const { code, ms } = await terminate(child);
    expect({ program, moment, code }).toEqual({ program, moment, code: 0 });
    expect(ms).toBeLessThan(PATIENCE_MS);
    await after();
  }
}

it('SIGTERM at 20 moments of each process doubles, loses and doubts nobody', async () => {
  const { system, datedRun } = await setup(12_000);
  // From here on events have somewhere to go, and wait while nobody is there.
  expect(await terminate(await system.startDashboard())).toMatchObject({ code: 0 });
  const run = await system.startRun();
  await Promise.all([
    stopAt(momentsOf('worker', 500), system, 'worker', () => expectNothingOpen(system, run)),
    stopAt(momentsOf('scheduler', 500), system, 'scheduler', async () => undefined),
    stopAt(momentsOf('dashboard', 500), system, 'dashboard', async () => undefined),
  ]);
  const before = (await system.runs.get(run)).numbers.sent;
  expect(before).toBeGreaterThan(0);
  expect(before, 'the run was over before the last moment').toBeLessThan(12_000);
  for (const program of ['worker', 'scheduler', 'dashboard'] as const) system.spawn(program);
  const { numbers } = await system.whenFinished(run);
  expect(numbers).toMatchObject({ sent: 12_000, in_doubt: 0, rejected: 0 });
  expect(await system.inbox(run)).toEqual(everyone(12_000));
  await system.whenFinished(datedRun);
  expect(await system.inbox(datedRun)).toEqual(everyone(40));
  // Events that came while no dashboard was there are taken in as well.
  await expect
    .poll(async () => (await system.runs.get(run)).outcomes.delivered, { timeout: 240_000 })
    .toBe(12_000);
}, 480_000);

it('waits for a SES that answers slowly, and is not ready from the first moment', async () => {
  const { system } = await setup(2_000, { SES_TIMEOUT_SECONDS: '3.5' });
  await system.setFaults({ rules: [{ fault: 'latency-after', latencyMs: { min: 1_500, max: 2_500 } }] });
  const run = await system.startRun();
  for (const moment of momentsOf('worker', 3_000).slice(0, 4)) {
    const { child, health } = await system.spawnWatched('worker', { SES_MAX_RATE: '100' });
    await sleep(1_000 + moment);
    const stopped = terminate(child);
    // The signal is on its way to another process.
    const phase = await waitFor('not to be ready', async () => {
      const response = await fetch(`${health}/readyz`).catch(() => undefined);
      return response?.status === 200
        ? undefined
        : ((await response?.json()) as { phase: string } | undefined);
    });
    expect(phase).toMatchObject({ ready: false, phase: 'stopping' });
    const { code, ms } = await stopped;
    expect(code).toBe(0);
    expect(ms).toBeLessThan(PATIENCE_MS);
    await expectNothingOpen(system, run);
  }
  await system.setFaults({ rules: [] });
  system.spawn('worker');
  const { numbers } = await system.whenFinished(run);
  expect(numbers).toMatchObject({ sent: 2_000, in_doubt: 0 });
  expect(await system.inbox(run)).toEqual(everyone(2_000));
});

it('a second SIGTERM ends at once: whom SES took is sent by its events, and only the others stay in doubt', async () => {
  const { system } = await setup(300);
  await system.startDashboard();
  await system.setFaults({ rules: [{ fault: 'latency-after', latencyMs: 2_500 }] });
  const { child } = await system.spawnWatched('worker', { SES_MAX_RATE: '100' });
  const run = await system.startRun();
  await waitFor('a claim', async () => (await system.runs.find(run))?.numbers.claimed);
  await sleep(500);
  child.kill('SIGTERM');
  await sleep(200);
  const { code, ms } = await terminate(child);
  expect(code).toBe(1);
  // Before SES answers, 2.5 s after it was asked: the first signal alone waits for that.
  expect(ms).toBeLessThan(1_500);
  await system.setFaults({ rules: [] });
  system.spawn('worker');
  const { numbers } = await waitFor(
    'everybody to be served',
    async () => {
      const record = await system.runs.get(run);
      return record.numbers.sent + record.numbers.in_doubt === 300 && record.numbers.claimed === 0
        ? record
        : undefined;
    },
    60_000,
  );
  expect(numbers.sent).toBeGreaterThan(0);
  await expect
    .poll(async () => (await system.runs.get(run)).numbers.sent, { timeout: 60_000 })
    .toBe((await system.inbox(run)).messages);
  expect(await system.inbox(run)).toMatchObject({ duplicates: 0 });
});

it('a rolling deploy in the middle of a run goes on without a gap', async () => {
  const { system } = await setup(4_000);
  const run = await system.startRun();
  let old = await system.spawnWatched('worker', { SES_MAX_RATE: '400' });
  for (const moment of momentsOf('worker', 800).slice(0, 5)) {
    await sleep(moment);
    const [next, { code, ms }] = await Promise.all([
      system.spawnWatched('worker', { SES_MAX_RATE: '400' }),
      terminate(old.child),
    ]);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(PATIENCE_MS);
    old = next;
  }
  const { numbers } = await system.whenFinished(run);
  expect(numbers).toMatchObject({ sent: 4_000, in_doubt: 0 });
  expect(await system.inbox(run)).toEqual(everyone(4_000));
});
