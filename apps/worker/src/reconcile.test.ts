import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SesLocal, startSesLocal } from '@sendonce/ses-local';
import { Continuity, releaseHold } from '@sendonce/shared/continuity';
import { openSesEvents } from '@sendonce/shared/events';
import { Ledger } from '@sendonce/shared/ledger';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { freezeRun, Runs } from '@sendonce/shared/run';
import { systemClock as clock, makeLogger } from '@sendonce/shared/runtime';
import { SesAccount, SesClient } from '@sendonce/shared/ses';
import { SuppressionList } from '@sendonce/shared/suppression';
import { makeSnapshot, openTestRedis, type TestRedis } from '@sendonce/shared/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AbsenceProof } from './absence.js';
import { PinnedRuns } from './pinnedRuns.js';
import { Reconciler } from './reconcile.js';

const FENCE_MS = 60_000;

let test: TestRedis;
let ses: SesLocal;
let count = 0;
const cleanups: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  test = await openTestRedis();
  ses = await startSesLocal();
  process.env.AWS_ACCESS_KEY_ID ??= 'local';
  process.env.AWS_SECRET_ACCESS_KEY ??= 'local';
});
afterAll(async () => {
  await ses.stop();
  await test.close();
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A frozen run of two recipients, of whom a worker has claimed one and died: so long ago, in ms. */
async function setup(
  settings: string,
  claimAgeMs: number,
  { csv, scheduledAt = new Date() }: { csv?: string; scheduledAt?: Date } = {},
) {
  const { redis } = test;
  const prefix = `${test.prefix}-${count++}`;
  const ledger = new Ledger({ redis, prefix });
  const runs = new Runs({ redis, prefix, clock });
  const limits = { bounceWarn: 0.02, bouncePause: 0.05, complaintWarn: 0.0005, complaintPause: 0.001 };
  const suppressions = new SuppressionList({ redis, prefix, clock });
  const { events, reputation } = openSesEvents(
    { clock, ledger, redis, runs, suppressions },
    { prefix, reputation: limits, suppressAfterTransientBounces: 5 },
  );
  const queues = openQueues(redis, prefix);
  cleanups.push(() => closeQueues(queues));
  const logger = makeLogger('test', 'silent');
  const sender = new SesClient({ region: 'us-east-1', endpoint: ses.url, timeoutMs: 2_000 });
  const config = {
    prefix,
    fenceMs: FENCE_MS,
    configurationSet: 'sendonce',
    journalRetentionMs: 50_000,
    ledgerRetentionMs: 90_000,
  };
  const absence = new AbsenceProof({ clock, events, logger, redis, sender }, config);
  const pinnedRuns = new PinnedRuns(runs);
  const account = new SesAccount({ redis, ses: sender, clock, logger }, { prefix, refreshMs: 1_000 });
  const stateDir = mkdtempSync(join(tmpdir(), 'sendonce-state-'));
  const continuity = new Continuity({ logger, redis, runs }, { prefix, stateDir, name: 'worker' });
  const reconciler = new Reconciler(
    {
      absence,
      account,
      clock,
      continuity,
      events,
      ledger,
      logger,
      pinnedRuns,
      queues,
      redis,
      reputation,
      runs,
    },
    config,
  );

  const snapshot = await makeSnapshot(2, { settings, ...(csv && { csv }) });
  const { run } = await runs.create(snapshot, scheduledAt, csv ? 'schedule' : 'manual');
  await freezeRun({ runs, ledger, suppressions, clock }, run);
  const ref = { run, chunk: 0 };
  const { tally } = await ledger.claim(ref, 'dead', 1);
  await runs.tally(run, 0, tally);
  const claimedAt = Date.now() - claimAgeMs;
  await redis.hset(`${prefix}:1:{${run}/0}:claims`, 'dead', `${claimedAt} 0`);
  /** An event of somebody else's mail that SES took at this time. */
  const eventOfMailAt = (at: number) =>
    events.record(
      JSON.stringify({
        eventType: 'Send',
        mail: { timestamp: new Date(at).toISOString(), messageId: 'other', tags: {} },
      }),
    );
  const states = async () => {
    await reconciler.runOnce();
    return ledger.states(ref);
  };
  /** As an operator does who lets data from before go on. */
  const releaseOlderData = async () => {
    await redis.hset(
      `${prefix}:1:{continuity}`,
      'held_at',
      Date.now(),
      'reason',
      'older',
      'data_at',
      claimedAt,
    );
    await releaseHold(redis, prefix);
    await continuity.look();
  };
  return {
    releaseOlderData,
    claimedAt,
    eventOfMailAt,
    events,
    ledger,
    queues,
    ref,
    reconciler,
    run,
    runs,
    states,
  };
}

describe('a claim of a dead worker', () => {
  it('stays a claim until the fence has passed', async () => {
    const { states } = await setup('in_doubt: resend\n', FENCE_MS - 5_000);
    expect(await states()).toEqual(['claimed', 'queued']);
  });

  it('is in doubt then, and stays so while nothing is proven', async () => {
    const { states } = await setup('in_doubt: resend\n', FENCE_MS + 1_000);
    expect(await states()).toEqual(['in_doubt', 'queued']);
    expect(await states()).toEqual(['in_doubt', 'queued']);
  });

  it('is queued again once the stream of events was alive before it and after the fence', async () => {
    const { claimedAt, eventOfMailAt, states, queues } = await setup('in_doubt: resend\n', 2 * FENCE_MS);
    await eventOfMailAt(claimedAt - 1_000);
    expect(await states()).toEqual(['in_doubt', 'queued']);
    await eventOfMailAt(claimedAt + FENCE_MS + 1_000);
    expect(await states(), 'too close to the fence').toEqual(['in_doubt', 'queued']);
    await eventOfMailAt(claimedAt + FENCE_MS * 1.1);
    expect(await states()).toEqual(['queued', 'queued']);
    expect(await queues.sends.getPrioritizedCount()).toBe(1);
  });

  it('from before the first event ever is never taken for absent', async () => {
    const { claimedAt, eventOfMailAt, states } = await setup('in_doubt: resend\n', 2 * FENCE_MS);
    await eventOfMailAt(claimedAt + 1);
    await eventOfMailAt(claimedAt + FENCE_MS * 1.5);
    expect(await states()).toEqual(['in_doubt', 'queued']);
  });

  it('from before a restore is never taken for absent: its event may be in what is lost', async () => {
    const { claimedAt, eventOfMailAt, releaseOlderData, states } = await setup(
      'in_doubt: resend\n',
      2 * FENCE_MS,
    );
    await eventOfMailAt(claimedAt - 1_000);
    await states();
    await releaseOlderData();
    await eventOfMailAt(claimedAt + FENCE_MS * 1.5);
    expect(await states()).toEqual(['in_doubt', 'queued']);
  });

  it('waits for an operator with `hold`, whatever is proven', async () => {
    const { claimedAt, eventOfMailAt, states } = await setup('in_doubt: hold\n', 2 * FENCE_MS);
    await eventOfMailAt(claimedAt - 1);
    await eventOfMailAt(claimedAt + FENCE_MS * 1.5);
    expect(await states()).toEqual(['in_doubt', 'queued']);
  });

  it('is sent as soon as an event has its tag, and stays sent', async () => {
    const { events, ref, run, states } = await setup('in_doubt: resend\n', 2 * FENCE_MS);
    await states();
    const tags = { sendonce_run: [run], sendonce_chunk: ['0'], sendonce_position: ['0'] };
    const event = JSON.stringify({
      eventType: 'Delivery',
      mail: { timestamp: new Date().toISOString(), messageId: 'm', tags },
    });
    expect(await events.record(event)).toBe('settled');
    expect(await events.record(event)).toBe('known');
    expect(await states()).toEqual(['sent', 'queued']);
    expect(ref.run).toBe(run);
  });

  it('makes the worker ask the stream for a sign of life, by one mail to the mailbox simulator', async () => {
    const before = await simulatorMails();
    const { claimedAt, eventOfMailAt, states } = await setup('in_doubt: resend\n', 2 * FENCE_MS);
    await eventOfMailAt(claimedAt - 1);
    await states();
    await states();
    expect(await simulatorMails()).toBe(before + 1);
  });
});

describe('a run', () => {
  it('gets a job for queued recipients when nothing has moved for a while', async () => {
    const { queues, ref, states } = await setup('', 0);
    await test.redis.hset(
      `${test.prefix}-${count - 1}:1:{${ref.run}}:record`,
      'touched_at',
      Date.now() - 60_000,
    );
    await states();
    expect((await queues.sends.getPrioritized()).map(({ id }) => id)).toEqual([`${ref.run}/0`]);
  });

  it('gets no job for parts that are due long after, and a lost one again within a minute of its time', async () => {
    const dueAt = Math.ceil(Date.now() / 1_000) * 1_000 + 30_000;
    const { ledger, queues, reconciler, run } = await setup(
      'schedule: { cron: 0 9 * * *, timezone: UTC, timezone_field: zone }\n',
      FENCE_MS + 1_000,
      {
        csv: 'email,first_name,zone\na@example.com,A,Asia/Tokyo\nb@example.com,B,UTC\nc@example.com,C,Etc/GMT+12\n',
        scheduledAt: new Date(dueAt - 14 * 3_600_000),
      },
    );
    const record = `${test.prefix}-${count - 1}:1:{${run}}:record`;
    await reconciler.runOnce();
    await test.redis.hset(record, 'touched_at', Date.now() - 60_000);
    await reconciler.runOnce();
    expect(await ledger.states({ run, chunk: 0 })).toEqual(['in_doubt']);
    const [job, ...others] = await queues.sends.getJobs();
    expect([job?.id, others]).toEqual([`${run}/1`, []]);
    expect((job?.timestamp ?? 0) + (job?.opts.delay ?? 0)).toBeGreaterThanOrEqual(dueAt);
  });

  it('that has ended is closed: its merge data go, its states stay', async () => {
    const { ledger, ref, run, runs, reconciler } = await setup('', 0);
    const second = await ledger.claim(ref, 'alive', 1);
    const accept = (position: number) => ({
      position,
      event: 'accept' as const,
      at: 1,
      detail: `id-${position}`,
    });
    await ledger.settle(ref, 'dead', [accept(0)]);
    const { tally } = await ledger.settle(ref, second.id, [accept(1)]);
    await runs.tally(run, 0, tally);
    expect(await runs.open()).toEqual([run]);
    await reconciler.runOnce();
    expect(await runs.open()).toEqual([]);
    expect((await ledger.recipients(ref))[0]?.fields.first_name).toBeUndefined();
    expect(await ledger.states(ref)).toEqual(['sent', 'sent']);
  });
});

async function simulatorMails(): Promise<number> {
  const report = (await (await fetch(`${ses.url}/report`)).json()) as { simulator: number };
  return report.simulator;
}
