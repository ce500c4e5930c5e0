/**
 * What the real ledger does to a state: the state is written into Redis, claims back-dated by their age, the real script
 * runs, and what it left is read back. Each question is asked once.
 */

import { chunkKeys, Ledger } from '@sendonce/shared/ledger';
import type { RedisConnection } from '@sendonce/shared/runtime';
import { type Answer, type LedgerState, ledgerKey } from './world.js';

/** So long that the time a test takes is none, ms. */
const TICK_MS = 1_000_000;
const REF = { run: 'model--20261124T100000Z', chunk: 0 };

export class LedgerOracle {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #ledger: Ledger;
  readonly #known = new Map<string, { state: LedgerState; positions: number[] }>();

  constructor({ redis, prefix }: { redis: RedisConnection; prefix: string }) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#ledger = new Ledger({ redis, prefix });
  }

  /** Different questions that were put to the scripts. */
  get questions(): number {
    return this.#known.size;
  }

  claim(state: LedgerState, id: number, limit: number) {
    return this.#ask(state, `claim ${id} ${limit}`, async () => {
      const { positions } = await this.#ledger.claim(REF, String(id), limit);
      return positions;
    });
  }

  settle(state: LedgerState, claim: number, answers: readonly [position: number, answer: Answer][]) {
    return this.#ask(state, `settle ${claim} ${JSON.stringify(answers)}`, async () => {
      const settlements = answers.map(([position, event]) => ({ position, event, at: 0, detail: '' }));
      await this.#ledger.settle(REF, String(claim), settlements);
      return [];
    });
  }

  expire(state: LedgerState, fenceTicks: number) {
    // Half a tick over, so that an age of just the fence is not older than it.
    return this.#ask(state, `expire ${fenceTicks}`, async () => {
      const { positions } = await this.#ledger.expireClaims(REF, (fenceTicks + 0.5) * TICK_MS);
      return positions;
    });
  }

  evidence(state: LedgerState, position: number) {
    return this.#ask(state, `evidence ${position}`, async () => {
      const { positions } = await this.#ledger.move(REF, 'evidence', [position], { at: 0, detail: '' });
      return positions;
    });
  }

  /** @param age of the youngest claim that may be moved. */
  resend(state: LedgerState, who: readonly number[], age: number) {
    return this.#ask(state, `resend ${who} ${age}`, async () => {
      const claimedBefore = Date.now() - (age - 0.5) * TICK_MS;
      const { positions } = await this.#ledger.move(REF, 'resend', who, { at: 0, detail: '', claimedBefore });
      return positions;
    });
  }

  async #ask(state: LedgerState, question: string, act: () => Promise<number[]>) {
    const key = `${ledgerKey(state)} ${question}`;
    const known = this.#known.get(key);
    if (known) return known;
    await this.#write(state);
    const positions = await act();
    const answer = { state: await this.#read(), positions };
    this.#known.set(key, answer);
    return answer;
  }

  async #write({ letters, claims, doubts }: LedgerState): Promise<void> {
    const keys = chunkKeys(this.#prefix, REF);
    const at = (age: number): number => Date.now() - age * TICK_MS;
    const pipeline = this.#redis.pipeline().del(...Object.values(keys));
    pipeline.set(keys.states, letters).set(keys.version, 1);
    for (const { id, age, positions } of claims) pipeline.hset(keys.claims, id, `${at(age)} ${positions}`);
    for (const { position, age, claim } of doubts)
      pipeline.hset(keys.doubts, position, `${at(age)} ${claim}`);
    await pipeline.exec();
  }

  async #read(): Promise<LedgerState> {
    const keys = chunkKeys(this.#prefix, REF);
    const [letters, claims, doubts] = await Promise.all([
      this.#redis.get(keys.states),
      this.#redis.hgetall(keys.claims),
      this.#redis.hgetall(keys.doubts),
    ]);
    const age = (at = ''): number => Math.round((Date.now() - Number(at)) / TICK_MS);
    return {
      letters: letters ?? '',
      claims: Object.entries(claims).map(([id, claim]) => {
        const [at, positions = ''] = claim.split(' ');
        return { id: Number(id), age: age(at), positions: positions.split(',').map(Number) };
      }),
      doubts: Object.entries(doubts).map(([position, doubt]) => {
        const [at, claim] = doubt.split(' ');
        return { position: Number(position), age: age(at), claim: Number(claim) };
      }),
    };
  }
}
