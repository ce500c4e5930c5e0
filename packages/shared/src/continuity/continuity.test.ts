/** What a process that remembers something, or nothing, makes of the data that it meets. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Runs } from '../run/index.js';
import { systemClock as clock, makeLogger, UsageError } from '../runtime/index.js';
import { makeSnapshot, openTestRedis, type TestRedis } from '../testing/index.js';
import { Continuity } from './continuity.js';
import { continuityKey } from './continuityKey.js';

let test: TestRedis;
let prefix: string;
let count = 0;
let running: Continuity[];
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());
beforeEach(() => {
  prefix = `${test.prefix}-${count++}`;
  running = [];
});
afterEach(async () => {
  for (const continuity of running) await continuity.stop();
});

const newStateDir = () => mkdtempSync(join(tmpdir(), 'sendonce-state-'));
const fileIn = (stateDir: string) => join(stateDir, `${prefix}-worker.json`);
const remember = (stateDir: string, memory: { installation: string; mark: number; at: number }) =>
  writeFileSync(fileIn(stateDir), JSON.stringify(memory));
const remembered = (stateDir: string) => JSON.parse(readFileSync(fileIn(stateDir), 'utf8'));
const data = () => test.redis.hgetall(continuityKey(prefix));

function process(stateDir = newStateDir()): Continuity {
  const runs = new Runs({ redis: test.redis, prefix, clock });
  const logger = makeLogger('test', 'silent');
  const continuity = new Continuity(
    { logger, redis: test.redis, runs },
    { prefix, stateDir, name: 'worker' },
  );
  running.push(continuity);
  return continuity;
}

async function startRun(): Promise<void> {
  const runs = new Runs({ redis: test.redis, prefix, clock });
  await runs.create(await makeSnapshot(2), new Date(), 'manual');
}

describe('a process that remembers nothing', () => {
  it('takes part in what is there', async () => {
    await process().start();
    const second = process();
    await second.start();
    expect(await second.mayWork()).toBe(true);
    expect(Number((await data()).mark)).toBe(2);
  });

  it.each([
    { minutes: 14, isHeld: false },
    { minutes: 16, isHeld: true },
  ])(
    'and meets data with work in them from $minutes min ago: held is $isHeld',
    async ({ minutes, isHeld }) => {
      await process().start();
      await startRun();
      await running.pop()?.stop();
      await test.redis.hset(continuityKey(prefix), 'at', Date.now() - minutes * 60_000);
      const stranger = process();
      await stranger.start();
      expect(await stranger.mayWork()).toBe(!isHeld);
    },
  );
});

describe('a process that remembers another installation', () => {
  it('holds data that were begun since: its own were lost', async () => {
    const stateDir = newStateDir();
    remember(stateDir, { installation: 'lost', mark: 5, at: Date.now() - 60_000 });
    const stranger = process();
    await stranger.start();
    await process(stateDir).start();
    await stranger.look();
    expect(stranger.hold?.reason).toContain('another installation');
  });

  it('does not start beside data that have long been there, and leaves them alone', async () => {
    await process().start();
    const before = await data();
    const stateDir = newStateDir();
    remember(stateDir, { installation: 'of a test system', mark: 5, at: Date.now() + 60_000 });
    await expect(process(stateDir).start()).rejects.toThrow(UsageError);
    expect(await data()).toEqual(before);
  });
});

describe('two processes with one file', () => {
  it('leave in it what was seen last', async () => {
    const stateDir = newStateDir();
    const [one, other] = [process(stateDir), process(stateDir)];
    await one.start();
    await other.start();
    const later = { ...remembered(stateDir), mark: 1_000, at: Date.now() + 60_000 };
    remember(stateDir, later);
    await one.look();
    expect(remembered(stateDir)).toEqual(later);
  });
});
