import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SesLocal, startSesLocal } from '@sendonce/ses-local';
import { Continuity, releaseHold } from '@sendonce/shared/continuity';
import { resumeRun } from '@sendonce/shared/control';
import { openSesEvents } from '@sendonce/shared/events';
import { encodeRecipients, Ledger } from '@sendonce/shared/ledger';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { freezeRun, Runs } from '@sendonce/shared/run';
import { systemClock as clock, makeLogger } from '@sendonce/shared/runtime';
import { SesAccount, SesClient } from '@sendonce/shared/ses';
import { COLLECT_MS } from '@sendonce/shared/singleMessages';
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
async function setup(settings: string, claimAgeMs: number) {
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

  const { run } = await runs.create(await makeSnapshot(2, { settings }), new Date(), 'manual');
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
    prefix,
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

describe('a run of single messages', () => {
  /** With a chunk for each number of recipients; of 0 nobody has created one. */
  async function collect(...sizes: number[]) {
    const parts = await setup('', 0);
    const { ledger, runs } = parts;
    const { run } = await runs.create(await makeSnapshot(1), new Date(Date.now() + 5_000), 'messages');
    for (const size of sizes) {
      const chunk = (await runs.allotChunk(run, 100)) ?? -1;
      const recipients = Array.from({ length: size }, () => ({ address: 'reader@example.com', fields: {} }));
      if (size > 0)
        await ledger.createChunk({ run, chunk }, encodeRecipients(recipients), Array(size).fill('queued'));
    }
    const makeOld = () =>
      test.redis.hset(`${parts.prefix}:1:{${run}}:record`, 'created_at', Date.now() - COLLECT_MS - 1_000);
    /** Sends everybody in a chunk. */
    const send = async (chunk: number) => {
      const ref = { run, chunk };
      const { id, positions } = await ledger.claim(ref, `claim ${chunk}`, 500);
      const accepts = positions.map(
        (position) => ({ position, event: 'accept', at: 1, detail: 'id' }) as const,
      );
      await runs.tally(run, chunk, (await ledger.settle(ref, id, accepts)).tally);
    };
    return { ...parts, run, makeOld, send };
  }

  it('is counted and gets its jobs when whoever accepted the messages died over it, and stays open', async () => {
    const { queues, reconciler, run, runs } = await collect(2, 0, 1);
    await reconciler.runOnce();
    expect(await runs.get(run)).toMatchObject({ status: 'collecting', numbers: { audience: 3, queued: 3 } });
    expect((await queues.messages.getWaiting()).map(({ id }) => id).sort()).toEqual([`${run}/0`, `${run}/2`]);
    await reconciler.runOnce();
    expect(await queues.messages.getWaitingCount()).toBe(2);
    expect(await queues.runs.getJobs()).toEqual([]);
  });

  it('is sealed after its time, and closed when everybody is served: then nobody can fill its gaps', async () => {
    const { ledger, makeOld, reconciler, run, runs, send } = await collect(1, 0);
    await makeOld();
    await reconciler.runOnce();
    expect(await runs.get(run)).toMatchObject({ status: 'sending', numbers: { audience: 1 } });
    expect(await runs.allotChunk(run, 100)).toBeUndefined();
    await send(0);
    await reconciler.runOnce();
    expect(await runs.open()).not.toContain(run);
    expect(await runs.get(run)).toMatchObject({ status: 'finished', numbers: { audience: 1, sent: 1 } });
    const late = encodeRecipients([{ address: 'late@example.com', fields: {} }]);
    expect(await ledger.createChunk({ run, chunk: 1 }, late, ['queued'])).toBe(false);
  });

  it('that was sealed without a chunk which is there is not closed before that is served', async () => {
    const { ledger, reconciler, run, runs, send } = await collect(1);
    await runs.seal(run);
    await reconciler.runOnce();
    expect(await runs.open()).toContain(run);
    await send(0);
    await reconciler.runOnce();
    await reconciler.runOnce();
    expect(await runs.open()).not.toContain(run);
    expect(await ledger.states({ run, chunk: 0 })).toEqual(['sent']);
  });

  it('that is empty, or cancelled, ends', async () => {
    const empty = await collect();
    await empty.makeOld();
    await empty.reconciler.runOnce();
    await empty.reconciler.runOnce();
    expect(await empty.runs.open()).not.toContain(empty.run);

    const { ledger, reconciler, run, runs } = await collect(2, 0);
    await runs.cancel(run, 'a mistake');
    for (let look = 0; look < 3; look++) await reconciler.runOnce();
    expect(await ledger.states({ run, chunk: 0 })).toEqual(['cancelled', 'cancelled']);
    expect(await runs.open()).not.toContain(run);
    expect((await runs.get(run)).numbers).toMatchObject({ audience: 2, cancelled: 2, queued: 0 });
  });

  it('that is paused keeps its messages until it is resumed', async () => {
    const { queues, reconciler, run, runs } = await collect(1);
    await runs.pause(run, { cause: 'operator', reason: 'for a test' });
    await reconciler.runOnce();
    expect(await queues.messages.getWaitingCount()).toBe(0);
    await resumeRun({ queues, runs }, run);
    expect(await queues.messages.getWaitingCount()).toBe(1);
    expect(await queues.runs.getJobs()).toEqual([]);
  });

  it('has its doubts settled as its template says', async () => {
    const { events, ledger, reconciler, run, runs } = await collect(1);
    await ledger.claim({ run, chunk: 0 }, 'dead', 1);
    await test.redis.hset(
      `${test.prefix}-${count - 1}:1:{${run}/0}:claims`,
      'dead',
      `${Date.now() - 2 * FENCE_MS} 0`,
    );
    await reconciler.runOnce();
    expect((await runs.get(run)).numbers).toMatchObject({ audience: 1, in_doubt: 1 });
    const tags = { sendonce_run: [run], sendonce_chunk: ['0'], sendonce_position: ['0'] };
    const mail = { timestamp: new Date().toISOString(), messageId: 'm', tags };
    await events.record(JSON.stringify({ eventType: 'Delivery', mail }));
    expect(await ledger.states({ run, chunk: 0 })).toEqual(['sent']);
  });
});

async function simulatorMails(): Promise<number> {
  const report = (await (await fetch(`${ses.url}/report`)).json()) as { simulator: number };
  return report.simulator;
}
