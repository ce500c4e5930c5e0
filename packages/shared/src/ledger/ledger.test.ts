import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestRedis, type TestRedis } from '../testing/index.js';
import { chunkKeys } from './chunk.js';
import { Ledger, type Settlement } from './ledger.js';
import { encodeRecipients } from './recipients.js';
import {
  isLegal,
  type LedgerEvent,
  type RecipientState,
  STATE_NAMES,
  STATES,
  TRANSITIONS,
} from './transitions.js';

let test: TestRedis;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

let chunkNumber = 0;

/** A chunk of its own, with recipients in these states. */
async function setup(states: RecipientState[] = ['queued', 'queued', 'queued']) {
  const ledger = new Ledger(test);
  const ref = { run: 'news--20261124T100000Z', chunk: chunkNumber++ };
  const recipients = states.map((_, index) => ({
    address: `reader${index}@example.com`,
    fields: { n: index },
  }));
  await ledger.createChunk(ref, encodeRecipients(recipients), states);
  const keys = chunkKeys(test.prefix, ref);
  const settle = (claim: string, position: number, event: Settlement['event'], detail = '') =>
    ledger.settle(ref, claim, [{ position, event, at: 1, detail }]);
  return { ledger, ref, keys, settle };
}

const note = { at: 1, detail: 'test' };

describe('the table of transitions', () => {
  const moves = ['evidence', 'confirm', 'resend', 'retry', 'cancel'] as const satisfies LedgerEvent[];
  const settles = ['accept', 'reject', 'release', 'doubt', 'suppress'] as const satisfies LedgerEvent[];

  for (const from of STATE_NAMES) {
    for (const event of moves) {
      it(`${from} + ${event}: ${isLegal(from, event) ? TRANSITIONS[event].to : 'stays'}`, async () => {
        const { ledger, ref } = await setup([from]);
        const { positions } = await ledger.move(ref, event, [0], note);
        expect(await ledger.states(ref)).toEqual([isLegal(from, event) ? TRANSITIONS[event].to : from]);
        expect(positions).toEqual(isLegal(from, event) ? [0] : []);
      });
    }
    for (const event of settles) {
      it(`${from} + ${event} of the claim's holder: ${isLegal(from, event) ? TRANSITIONS[event].to : 'stays'}`, async () => {
        const { ledger, ref, keys, settle } = await setup([from]);
        await test.redis.hset(keys.claims, 'mine', '1 0');
        await settle('mine', 0, event);
        expect(await ledger.states(ref)).toEqual([isLegal(from, event) ? TRANSITIONS[event].to : from]);
      });
    }
    it(`${from} + claim: ${isLegal(from, 'claim') ? 'claimed' : 'stays'}`, async () => {
      const { ledger, ref } = await setup([from]);
      const { positions } = await ledger.claim(ref, 'mine', 1);
      expect(positions).toEqual(isLegal(from, 'claim') ? [0] : []);
      expect(await ledger.states(ref)).toEqual([isLegal(from, 'claim') ? 'claimed' : from]);
    });
  }

  it('has a letter of its own for every state', () => {
    expect(new Set(Object.values(STATES)).size).toBe(STATE_NAMES.length);
  });
});

describe('a claim', () => {
  it('takes the lowest queued positions and counts the rest', async () => {
    const { ledger, ref } = await setup(['sent', 'queued', 'queued', 'queued']);
    const claim = await ledger.claim(ref, 'a', 2);
    expect(claim.positions).toEqual([1, 2]);
    expect(claim.tally).toMatchObject({ sent: 1, claimed: 2, queued: 1 });
  });

  it('is the same claim when the same id asks again, as a client does whose connection broke', async () => {
    const { ledger, ref } = await setup();
    const first = await ledger.claim(ref, 'a', 2);
    const again = await ledger.claim(ref, 'a', 2);
    expect(again.positions).toEqual(first.positions);
    expect(again.claimedAt).toBe(first.claimedAt);
    expect((await ledger.tally(ref)).claimed).toBe(2);
  });

  it('never gives one recipient to two workers, however many ask at once', async () => {
    const { ledger, ref } = await setup(Array.from({ length: 300 }, () => 'queued' as const));
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, worker) => ledger.claim(ref, `w${worker}`, 7)),
    );
    const positions = claims.flatMap((claim) => claim.positions);
    expect(positions).toHaveLength(300);
    expect(new Set(positions).size).toBe(300);
  });

  it('becomes doubt once it is older than the fence, and not before', async () => {
    const { ledger, ref, keys } = await setup();
    await ledger.claim(ref, 'a', 2);
    expect((await ledger.expireClaims(ref, 60_000)).positions).toEqual([]);
    await test.redis.hset(keys.claims, 'a', `${Date.now() - 61_000} 0,1`);
    const expired = await ledger.expireClaims(ref, 60_000);
    expect(expired.positions).toEqual([0, 1]);
    expect(expired.tally).toMatchObject({ in_doubt: 2, queued: 1, claimed: 0 });
  });
});

describe('a worker that comes late', () => {
  async function setupLate() {
    const bundle = await setup();
    await bundle.ledger.claim(bundle.ref, 'late', 1);
    await test.redis.hset(bundle.keys.claims, 'late', `${Date.now() - 61_000} 0`);
    await bundle.ledger.expireClaims(bundle.ref, 60_000);
    return bundle;
  }

  it('still wins with an accept over doubt', async () => {
    const { ledger, ref, settle } = await setupLate();
    expect((await settle('late', 0, 'accept', 'message-id')).refused).toEqual([]);
    expect((await ledger.states(ref))?.[0]).toBe('sent');
    expect(await ledger.doubts(ref)).toEqual([]);
  });

  it('wins with an accept over a resend that nobody has claimed yet', async () => {
    const { ledger, ref, settle } = await setupLate();
    await ledger.move(ref, 'resend', [0], note);
    await settle('late', 0, 'accept', 'message-id');
    expect((await ledger.states(ref))?.[0]).toBe('sent');
  });

  it('may put its own doubt back, but not what somebody else has claimed since', async () => {
    const own = await setupLate();
    await own.settle('late', 0, 'release');
    expect((await own.ledger.states(own.ref))?.[0]).toBe('queued');

    const others = await setupLate();
    await others.ledger.move(others.ref, 'resend', [0], note);
    await others.ledger.claim(others.ref, 'other', 1);
    expect((await others.settle('late', 0, 'release')).refused).toEqual([0]);
    expect((await others.settle('late', 0, 'reject')).refused).toEqual([0]);
    expect((await others.settle('late', 0, 'suppress')).refused).toEqual([0]);
    expect((await others.ledger.states(others.ref))?.[0]).toBe('claimed');
  });
});

describe('moves from outside', () => {
  it('resend only doubts whose claim is old enough', async () => {
    const { ledger, ref, keys } = await setup(['in_doubt', 'in_doubt']);
    await test.redis.hset(keys.doubts, { 0: '1000 a', 1: '2000 b' });
    const { positions } = await ledger.move(ref, 'resend', 'all', { ...note, claimedBefore: 1_500 });
    expect(positions).toEqual([0]);
    expect(await ledger.states(ref)).toEqual(['queued', 'in_doubt']);
  });

  it('change nothing when they come twice', async () => {
    const { ledger, ref } = await setup(['in_doubt']);
    const first = await ledger.move(ref, 'evidence', [0], note);
    const second = await ledger.move(ref, 'evidence', [0], note);
    expect(second.positions).toEqual([]);
    expect(second.tally.version).toBe(first.tally.version);
  });
});

describe('a chunk', () => {
  it('is created once: the first content stands', async () => {
    const { ledger, ref } = await setup();
    const other = encodeRecipients([{ address: 'other@example.com', fields: {} }]);
    expect(await ledger.createChunk(ref, other, ['queued'])).toBe(false);
    expect(await ledger.recipients(ref)).toHaveLength(3);
  });

  it('keeps addresses and journal when it ends, and merge data only of who may be tried again', async () => {
    const { ledger, ref, keys } = await setup();
    await ledger.claim(ref, 'a', 3);
    await ledger.settle(ref, 'a', [
      { position: 0, event: 'accept', at: 5, detail: 'id-0' },
      { position: 1, event: 'reject', at: 6, detail: 'no' },
      { position: 2, event: 'accept', at: 7, detail: 'id-2' },
    ]);
    await ledger.compact(ref, { journalMs: 50_000, ledgerMs: 90_000 });
    await ledger.compact(ref, { journalMs: 50_000, ledgerMs: 90_000 });
    const recipients = await ledger.recipients(ref);
    expect(recipients.map(({ address }) => address)).toEqual([
      'reader0@example.com',
      'reader1@example.com',
      'reader2@example.com',
    ]);
    expect(recipients.map(({ fields }) => fields.n)).toEqual([undefined, 1, undefined]);
    expect((await ledger.journal(ref)).map(({ detail }) => detail)).toEqual(['id-0', 'no', 'id-2']);
    expect(await test.redis.pttl(keys.archive)).toBeGreaterThan(0);
    expect(await test.redis.pttl(keys.states)).toBeGreaterThan(50_000);
  });

  it('has its journal compressed when it is sent, and what comes later is in it all the same', async () => {
    const { ledger, ref, keys, settle } = await setup(['queued', 'queued', 'in_doubt']);
    await ledger.claim(ref, 'a', 2);
    await settle('a', 0, 'accept', 'id-0');
    await ledger.archive(ref);
    expect(await test.redis.llen(keys.journal)).toBe(0);
    const details = async () => (await ledger.journal(ref)).map(({ detail }) => detail);
    expect(await details()).toEqual(['id-0']);
    await ledger.move(ref, 'evidence', [2], { at: 9, detail: 'id-2' });
    expect(await details()).toEqual(['id-0', 'id-2']);
    await ledger.archive(ref);
    await ledger.archive(ref);
    expect(await details()).toEqual(['id-0', 'id-2']);
    await ledger.compact(ref, { journalMs: 50_000, ledgerMs: 90_000 });
    expect(await details()).toEqual(['id-0', 'id-2']);
    expect(await test.redis.pttl(keys.archive)).toBeGreaterThan(0);
  });

  it('may hold recipients who never were queued, with the reason', async () => {
    const { ledger } = await setup();
    const ref = { run: 'news--20261124T100000Z', chunk: chunkNumber++ };
    const recipients = encodeRecipients([
      { address: 'a@example.com', fields: {} },
      { address: 'b@example.com', fields: {} },
    ]);
    const entry = { position: 1, event: 'suppress', at: 5, detail: 'bounce' } as const;
    await ledger.createChunk(ref, recipients, ['queued', 'suppressed'], [entry]);
    expect((await ledger.claim(ref, 'a', 2)).positions).toEqual([0]);
    expect(await ledger.tally(ref)).toMatchObject({ claimed: 1, suppressed: 1 });
    expect(await ledger.journal(ref)).toEqual([entry]);
  });

  it('says so when it is not known', async () => {
    const { ledger } = await setup();
    await expect(ledger.claim({ run: 'gone--20200101T000000Z', chunk: 0 }, 'a', 1)).rejects.toThrow(
      'NOCHUNK',
    );
  });
});
