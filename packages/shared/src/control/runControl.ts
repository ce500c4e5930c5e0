/**
 * Operators' actions. They ask for a transition; the scripts of the ledger and of the run decide. Every action may be
 * repeated: what a process that died in the middle left out, the reconciler or the second try does.
 */
import type { Ledger, Tally } from '../ledger/index.js';
import { addFreezeJob, ensureChunkJobs, type Queues } from '../queue/index.js';
import { duesOf, type Runs } from '../run/index.js';

export interface ControlServices {
  ledger: Ledger;
  queues: Queues;
  runs: Runs;
}

/** Workers stop claiming within one micro-batch and 20 ms. False: the run is not in a state for it. */
export async function pauseRun({ runs }: ControlServices, run: string, reason: string): Promise<boolean> {
  return (await runs.pause(run, { cause: 'operator', reason })) !== 'no';
}

/**
 * Opens the run again and sends the jobs round for whoever is queued. False: it is not paused.
 * @param by `itself`: what it paused for is over, or may be.
 */
export async function resumeRun(
  { queues, runs }: Pick<ControlServices, 'queues' | 'runs'>,
  run: string,
  by: 'operator' | 'itself' = 'operator',
): Promise<boolean> {
  if (!(await runs.resume(run, by))) return false;
  const record = await runs.get(run);
  if (record.status === 'freezing') {
    await addFreezeJob(queues.runs, run);
    return true;
  }
  const tallies = await runs.chunkTallies(run);
  const waiting = [...tallies].filter(([, tally]) => hasQueued(tally)).map(([chunk]) => chunk);
  await ensureChunkJobs(queues, record, waiting, duesOf(tallies));
  return true;
}

/** Nobody is claimed any more; who is queued is cancelled, who is claimed is still settled. False: too late for it. */
export async function cancelRun(services: ControlServices, run: string, reason: string): Promise<boolean> {
  const { ledger, runs } = services;
  if (!(await runs.cancel(run, reason))) return false;
  for (const chunk of (await runs.chunkTallies(run)).keys()) {
    const { tally } = await ledger.move({ run, chunk }, 'cancel', 'all', { at: Date.now(), detail: reason });
    await runs.tally(run, chunk, tally);
  }
  return true;
}

export interface DoubtVerdict {
  verdict: 'sent' | 'resend';
  /** ms since the epoch. */
  at: number;
  /** For the journal. */
  reason: string;
  /** Default: everybody. */
  only?: { chunk: number; position: number };
  /** Nobody is sent again before a claim is so old: until then SES may still accept the request that we doubt. */
  fenceMs: number;
}

/** An operator's word on recipients in doubt: they got it (`sent`), or they shall get it (`resend`). */
export async function settleDoubts(
  { ledger, queues, runs }: ControlServices,
  run: string,
  { verdict, at, reason, only, fenceMs }: DoubtVerdict,
): Promise<{ settled: number; tooYoung: number }> {
  const record = await runs.get(run);
  const event = verdict === 'sent' ? 'confirm' : 'resend';
  const claimedBefore = verdict === 'resend' ? at - fenceMs : 0;
  const count = { settled: 0, tooYoung: 0 };
  const waiting: number[] = [];
  for (const [chunk, known] of await runs.chunkTallies(run)) {
    if (known.in_doubt === 0 || (only && only.chunk !== chunk)) continue;
    const ref = { run, chunk };
    const doubts = (await ledger.doubts(ref)).filter(({ position }) => !only || only.position === position);
    const positions = doubts.map(({ position }) => position);
    const moved = await ledger.move(ref, event, positions, { at, detail: reason, claimedBefore });
    await runs.tally(run, chunk, moved.tally);
    count.settled += moved.positions.length;
    if (claimedBefore > 0)
      count.tooYoung += doubts.filter(({ claimedAt }) => claimedAt > claimedBefore).length;
    if (hasQueued(moved.tally)) waiting.push(chunk);
  }
  if (record.status !== 'paused') await ensureChunkJobs(queues, record, waiting);
  return count;
}

function hasQueued({ queued }: Tally): boolean {
  return queued > 0;
}
