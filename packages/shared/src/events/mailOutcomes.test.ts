/** Events as SES publishes them: any order, twice and thrice, of mails that are known and of mails that are not. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecipients, Ledger } from '../ledger/index.js';
import { Runs } from '../run/index.js';
import { SuppressionList } from '../suppression/index.js';
import { makeSnapshot, openTestRedis, shuffled, type TestRedis } from '../testing/index.js';
import { MailOutcomes } from './mailOutcomes.js';
import { openSesEvents } from './openSesEvents.js';

const LIMITS = { bounceWarn: 0.02, bouncePause: 0.05, complaintWarn: 0.0005, complaintPause: 0.001 };

let test: TestRedis;
let count = 0;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

const prefixOf = (number: number): string => `${test.prefix}:${number}`;

/** A run whose recipients were all sent a mail. */
async function setup(recipients: number) {
  const { redis } = test;
  const prefix = prefixOf(count++);
  const clock = { now: () => Date.now() };
  const ledger = new Ledger({ redis, prefix });
  const runs = new Runs({ redis, prefix, clock });
  const suppressions = new SuppressionList({ redis, prefix, clock });
  const { events, reputation } = openSesEvents(
    { clock, ledger, redis, runs, suppressions },
    { prefix, reputation: LIMITS, suppressAfterTransientBounces: 2 },
  );
  const outcomes = new MailOutcomes({ redis, runs }, { prefix });
  const { run } = await runs.create(await makeSnapshot(2, {}), new Date(), 'manual');
  for (let chunk = 0; chunk * 500 < recipients; chunk++) {
    const rows = Array.from({ length: 500 }, (_, n) => ({ address: `r${n}@example.com`, fields: {} }));
    const states = rows.map(() => 'sent' as const);
    await ledger.createChunk({ run, chunk }, encodeRecipients(rows), states);
  }
  const record = (recipient: number, eventType: string, details: object = {}) =>
    events.record(eventOf(run, recipient, eventType, details));
  return { outcomes, record, reputation, run, runs, suppressions };
}

function eventOf(run: string, recipient: number, eventType: string, details: object): string {
  const tags = {
    sendonce_run: [run],
    sendonce_chunk: [String(Math.floor(recipient / 500))],
    sendonce_position: [String(recipient % 500)],
  };
  const mail = { timestamp: '2026-11-24T10:00:00.000Z', messageId: `id-${recipient}`, tags };
  return JSON.stringify({ eventType, mail, ...details });
}

const permanent = { bounce: { bounceType: 'Permanent' } };
const transient = { bounce: { bounceType: 'Transient' } };

describe('what became of mails', () => {
  it('is counted exactly, whatever the order and however often events come', async () => {
    const { record, reputation, run, runs } = await setup(1_000);
    const events: [number, string, object][] = Array.from({ length: 1_000 }, (_, recipient) => {
      if (recipient % 50 === 0) return [recipient, 'Bounce', permanent];
      if (recipient % 50 === 1) return [recipient, 'Bounce', transient];
      return [recipient, 'Delivery', {}];
    });
    for (let recipient = 2; recipient < 12; recipient++)
      events.push([recipient, 'Complaint', { complaint: {} }]);
    for (let recipient = 60; recipient < 80; recipient++) events.push([recipient, 'DeliveryDelay', {}]);
    for (const event of shuffled([...events, ...events], 7)) await record(...event);
    expect((await runs.get(run)).outcomes).toEqual({
      delivered: 960,
      bounced: 20,
      bounced_transient: 20,
      complained: 10,
      delayed: 20,
      unsubscribed: 0,
    });
    expect(await reputation.read()).toMatchObject({ mails: 980, bounceRate: 20 / 980 });
  });

  it('is as exact when many events of a chunk are taken in together, with strangers among them', async () => {
    const { outcomes, record, reputation, run, runs } = await setup(500);
    const events = Array.from({ length: 500 }, (_, n) => n).flatMap((n): [number, string, object][] =>
      n % 10 === 0
        ? [[n, 'Bounce', permanent]]
        : [
            [n, 'Delivery', {}],
            [n, 'Send', {}],
          ],
    );
    const strangers: [number, string, object][] = [[700, 'Delivery', {}]];
    const taken = await Promise.all(
      shuffled([...events, ...events, ...strangers], 3).map((event) => record(...event)),
    );
    expect((await runs.get(run)).outcomes).toMatchObject({ delivered: 450, bounced: 50 });
    expect(taken.filter((outcome) => outcome === 'settled')).toHaveLength(500);
    expect((await outcomes.ofChunk({ run, chunk: 0 })).size).toBe(500);
    expect(await reputation.read()).toMatchObject({ mails: 500, bounceRate: 0.1 });
  });

  it('is written down before the stream counts as alive', async () => {
    const { redis } = test;
    const prefix = prefixOf(count++);
    const clock = { now: () => Date.now() };
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    class HeldLedger extends Ledger {
      override async prove(...proofs: Parameters<Ledger['prove']>) {
        await held;
        return super.prove(...proofs);
      }
    }
    const { events } = openSesEvents(
      {
        clock,
        ledger: new HeldLedger({ redis, prefix }),
        redis,
        runs: new Runs({ redis, prefix, clock }),
        suppressions: new SuppressionList({ redis, prefix, clock }),
      },
      { prefix, reputation: LIMITS, suppressAfterTransientBounces: 2 },
    );
    const recorded = events.record(eventOf('news--20261124T100000Z', 0, 'Delivery', {}));
    // More round trips than it takes to remember it.
    for (let trip = 0; trip < 10; trip++) await redis.ping();
    expect(await events.aliveBetween()).toBeUndefined();
    goOn();
    expect(await recorded).toBe('foreign');
    expect(await events.aliveBetween()).toMatchObject({ latestMailAt: Date.parse('2026-11-24T10:00:00Z') });
  });

  it('is in the run, too, when the process died between the chunk and the run, and the event came again', async () => {
    const { outcomes, record, run, runs } = await setup(500);
    // All that a process did which died after the first of the two writes.
    const dying = { outcomes: () => Promise.reject(new Error('dead')) };
    const half = new MailOutcomes(
      { redis: test.redis, runs: dying as never },
      { prefix: prefixOf(count - 1) },
    );
    await expect(half.mark({ run, chunk: 0 }, [{ position: 3, outcome: 'delivered' }])).rejects.toThrow(
      'dead',
    );
    expect((await outcomes.ofChunk({ run, chunk: 0 })).get(3)).toEqual(['delivered']);
    expect((await runs.get(run)).outcomes.delivered).toBe(0);
    expect(await record(3, 'Delivery')).toBe('known');
    expect((await runs.get(run)).outcomes.delivered).toBe(1);
  });

  it('is told by recipient', async () => {
    const { outcomes, record, run } = await setup(500);
    await record(3, 'DeliveryDelay');
    await record(3, 'Delivery');
    await record(3, 'Complaint', { complaint: { complaintFeedbackType: 'abuse' } });
    await record(4, 'Complaint', { complaint: { complaintFeedbackType: 'not-spam' } });
    const ofChunk = await outcomes.ofChunk({ run, chunk: 0 });
    expect(ofChunk.get(3)).toEqual(['delivered', 'complained', 'delayed']);
    expect(ofChunk.get(4) ?? []).toEqual([]);
  });

  it('of somebody who is in no chunk is nothing', async () => {
    const { record, run, runs } = await setup(500);
    expect(await record(99_999, 'Delivery')).toBe('foreign');
    expect((await runs.get(run)).outcomes.delivered).toBe(0);
  });
});

describe('who is written to no more', () => {
  const found = async (suppressions: SuppressionList, recipient: number) =>
    (await suppressions.find(`r${recipient}@example.com`)).map(({ scope, reason }) => `${scope} ${reason}`);

  it('is whose mail bounced for good, who complained, and whose mails bounced too often', async () => {
    const { record, suppressions } = await setup(500);
    const onSesList = { bounce: { bounceType: 'Permanent', bounceSubType: 'OnAccountSuppressionList' } };
    await record(0, 'Bounce', permanent);
    await record(0, 'Bounce', permanent);
    await record(1, 'Complaint', { complaint: {} });
    await record(2, 'Complaint', { complaint: { complaintFeedbackType: 'not-spam' } });
    await record(3, 'Bounce', onSesList);
    await record(4, 'Bounce', transient);
    await record(4, 'Bounce', transient);
    await record(5, 'Delivery');
    expect(await found(suppressions, 0)).toEqual(['* bounce']);
    expect(await found(suppressions, 1)).toEqual(['* complaint']);
    expect(await found(suppressions, 2)).toEqual([]);
    expect(await found(suppressions, 3)).toEqual(['* ses']);
    expect(await found(suppressions, 4), 'one mail, told twice').toEqual([]);
    expect(await found(suppressions, 5)).toEqual([]);
  });
});

describe('the reputation', () => {
  it('warns and pauses at its limits, and not for a few mails', async () => {
    const { record, reputation } = await setup(500);
    for (let n = 0; n < 10; n++) await record(n, 'Bounce', permanent);
    expect(await reputation.read()).toMatchObject({ verdict: 'good', bounceRate: 1 });
    for (let n = 10; n < 400; n++) await record(n, 'Delivery');
    expect(await reputation.read()).toMatchObject({
      verdict: 'warning',
      reason: 'In 24 hours 2.5% of mails bounce (limit 5%)',
    });
    for (let n = 400; n < 420; n++) await record(n, 'Bounce', permanent);
    expect((await reputation.read()).verdict).toBe('pause');
  });
});
