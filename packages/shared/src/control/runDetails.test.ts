/** What operators ask about a run, and the second try of those who were rejected. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MailOutcomes } from '../events/index.js';
import { encodeRecipients, Ledger } from '../ledger/index.js';
import { closeQueues, openQueues } from '../queue/index.js';
import { Runs } from '../run/index.js';
import { makeSnapshot, openTestRedis, StubClock, type TestRedis } from '../testing/index.js';
import { failureReasons, findRecipients, retryRejected } from './index.js';

let test: TestRedis;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

/** Two chunks with three recipients each; of the first chunk everybody was answered. */
async function setup() {
  const clock = new StubClock();
  const { redis } = test;
  const prefix = `${test.prefix}-details`;
  const queues = openQueues(redis, prefix);
  const runs = new Runs({ redis, prefix, clock });
  const ledger = new Ledger({ redis, prefix });
  const outcomes = new MailOutcomes({ redis, runs }, { prefix });
  const { run } = await runs.create(await makeSnapshot(6), new Date('2026-11-24T10:00:00Z'), 'manual');
  for (const chunk of [0, 1]) {
    const recipients = [0, 1, 2].map((n) => ({ address: `Reader${chunk * 3 + n}@example.com`, fields: {} }));
    await ledger.createChunk({ run, chunk }, encodeRecipients(recipients), ['queued', 'queued', 'queued']);
  }
  await runs.frozen(run, { chunks: 2, audience: 6, duplicates: 0, invalid: 0, invalidRows: [] });
  const ref = { run, chunk: 0 };
  const claim = await ledger.claim(ref, 'a claim', 3);
  const { tally } = await ledger.settle(ref, claim.id, [
    { position: 0, event: 'accept', at: 1, detail: 'message-id' },
    { position: 1, event: 'reject', at: 2, detail: 'BadRequest: the name is wrong' },
    { position: 2, event: 'doubt', at: 3, detail: 'time-out' },
  ]);
  await runs.tally(run, 0, tally);
  await runs.tally(run, 1, await ledger.tally({ run, chunk: 1 }));
  return { ledger, outcomes, queues, run, runs };
}

it('a recipient is found by address in any spelling, failures by their reasons, and who was rejected is tried again', async () => {
  const services = await setup();
  const { queues, run, runs } = services;
  expect(await findRecipients(services, run, 'READER1@example.com')).toEqual([
    {
      address: 'Reader1@example.com',
      chunk: 0,
      position: 1,
      state: 'rejected',
      entries: [{ position: 1, event: 'reject', at: 2, detail: 'BadRequest: the name is wrong' }],
      outcomes: [],
    },
  ]);
  expect(await findRecipients(services, run, 'reader5@example.com')).toMatchObject([
    { chunk: 1, position: 2, state: 'queued' },
  ]);
  expect(await findRecipients(services, run, 'eader5@example.com')).toEqual([]);
  expect(await failureReasons(services, run)).toEqual({
    reasons: [
      { state: 'rejected', reason: 'BadRequest: the name is wrong', count: 1 },
      { state: 'in_doubt', reason: 'time-out', count: 1 },
    ],
    isWhole: true,
  });
  expect(await runs.history(run)).toMatchObject([
    { sent: 1, rejected: 1, inDoubt: 1, delivered: 0, bounced: 0 },
  ]);

  await runs.close(run, 60_000);
  expect(await retryRejected(services, run, { reason: 'the name is right now', at: 4 })).toBe(1);
  expect((await runs.get(run)).numbers).toMatchObject({ queued: 4, rejected: 0, sent: 1, in_doubt: 1 });
  expect(await runs.open()).toEqual([run]);
  expect((await queues.sends.getWaitingCount()) + (await queues.sends.getPrioritizedCount())).toBe(1);
  expect((await findRecipients(services, run, 'reader1@example.com'))[0]?.entries.at(-1)).toMatchObject({
    event: 'retry',
    detail: 'the name is right now',
  });
  expect(await retryRejected(services, run, { reason: 'again', at: 5 })).toBe(0);
  await runs.cancel(run, 'for a test');
  expect(await retryRejected(services, run, { reason: 'again', at: 5 })).toBe(0);
  await closeQueues(queues);
});
