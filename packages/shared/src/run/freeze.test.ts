import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecipients, Ledger } from '../ledger/index.js';
import { EVERYTHING, SuppressionList } from '../suppression/index.js';
import { makeCsv, makeSnapshot, openTestRedis, StubClock, type TestRedis } from '../testing/index.js';
import { freezeRun } from './freeze.js';
import { Runs } from './runs.js';

let test: TestRedis;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

let minute = 0;

async function setup(csv: string, settings = '', origin: 'manual' | 'schedule' = 'manual') {
  const clock = new StubClock();
  const runs = new Runs({ ...test, clock });
  const ledger = new Ledger(test);
  const suppressions = new SuppressionList({ ...test, clock });
  const snapshot = await makeSnapshot(0, { csv, settings });
  const { run } = await runs.create(snapshot, new Date(Date.UTC(2026, 10, 25, 10, minute++)), origin);
  const rewrite = (content: string) => writeFileSync(join(snapshot.baseDir, 'recipients.csv'), content);
  const addresses = async () => {
    const { chunks } = await runs.get(run);
    const all = await Promise.all(
      Array.from({ length: chunks }, (_, chunk) => ledger.recipients({ run, chunk })),
    );
    return all.flat().map(({ address }) => address);
  };
  const services = { runs, ledger, suppressions, clock };
  return { runs, ledger, suppressions, run, rewrite, addresses, services };
}

/** Lets a freezer die after some chunks: its signal aborts when the ledger has created them. */
class DyingLedger extends Ledger {
  created = 0;
  constructor(private readonly chunksToLive: number) {
    super(test);
  }

  override async createChunk(...args: Parameters<Ledger['createChunk']>): Promise<boolean> {
    if (this.created++ === this.chunksToLive) throw new Error('killed');
    return super.createChunk(...args);
  }
}

/** Somebody waits at it, and somebody else learns of it and opens it. */
class Gate {
  reached = (): void => {};
  open = (): void => {};
  readonly isReached = new Promise<void>((resolve) => {
    this.reached = resolve;
  });
  readonly #isOpen = new Promise<void>((resolve) => {
    this.open = resolve;
  });

  pass(): Promise<void> {
    this.reached();
    return this.#isOpen;
  }
}

/** Waits where its freezer asks for the second time whether there is a first chunk. */
class WaitingLedger extends Ledger {
  readonly barrier = new Gate();
  #asked = 0;

  override async states(...args: Parameters<Ledger['states']>) {
    if (++this.#asked === 2) await this.barrier.pass();
    return super.states(...args);
  }
}

/** Waits before a freezer says that the audience stands. */
class WaitingRuns extends Runs {
  readonly barrier = new Gate();

  override async frozen(...args: Parameters<Runs['frozen']>) {
    await this.barrier.pass();
    return super.frozen(...args);
  }
}

/** Has the next chunk dropped by its maker while it is read. */
class DroppingLedger extends Ledger {
  override async content(...args: Parameters<Ledger['content']>) {
    const content = await super.content(...args);
    await this.drop(args[0]);
    return content;
  }
}

describe('freezing', () => {
  it('drops repeated addresses and counts bad rows, and the numbers add up', async () => {
    const csv =
      'email,first_name\na@example.com,A\nA@EXAMPLE.com,again\nnot an address,B\nb@example.com,B\nc@example.com\n';
    const { runs, run, addresses, services } = await setup(csv, 'max_invalid: 50%\n');
    await freezeRun(services, run);
    expect((await runs.get(run)).numbers).toMatchObject({
      audience: 5,
      duplicates: 1,
      invalid: 2,
      queued: 2,
    });
    expect(await addresses()).toEqual(['a@example.com', 'b@example.com']);
    expect(await runs.invalidRows(run)).toEqual([
      { line: 4, reason: 'the address has no local part or no domain' },
      { line: 6, reason: '1 columns instead of 2' },
    ]);
  });

  it('goes on after a crash without adding anyone twice or leaving anyone out, though the source has changed its order', async () => {
    const { runs, ledger, run, rewrite, addresses, services } = await setup(makeCsv(1_700));
    await expect(freezeRun({ ...services, ledger: new DyingLedger(2) }, run)).rejects.toThrow('killed');
    const [header, ...rows] = makeCsv(1_710).trimEnd().split('\n');
    // Reordered, ten people more, and one of the frozen ones gone from the source: she stays.
    rewrite(`${[header, ...rows.filter((row) => !row.startsWith('reader7@')).reverse()].join('\n')}\n`);
    await freezeRun(services, run);
    const frozen = await addresses();
    expect(frozen).toHaveLength(1_710);
    expect(new Set(frozen).size).toBe(1_710);
    expect((await runs.get(run)).numbers).toMatchObject({ audience: 1_710, duplicates: 0, queued: 1_710 });
    expect((await ledger.states({ run, chunk: 3 }))?.length).toBe(210);
  });

  it('by two at once freezes everybody once', async () => {
    const { runs, run, addresses, services } = await setup(makeCsv(2_300));
    await Promise.all([freezeRun(services, run), freezeRun(services, run), freezeRun(services, run)]);
    const frozen = await addresses();
    expect(frozen).toHaveLength(2_300);
    expect(new Set(frozen).size).toBe(2_300);
    expect((await runs.get(run)).numbers).toMatchObject({ audience: 2_300, duplicates: 0, queued: 2_300 });
  });

  it('adds nobody again whom another freezer has added since this one has read the source', async () => {
    const { runs, run, addresses, services } = await setup(makeCsv(300));
    const lateLedger = new WaitingLedger(test);
    const firstRuns = new WaitingRuns({ ...test, clock: services.clock });
    const late = freezeRun({ ...services, ledger: lateLedger }, run);
    await lateLedger.barrier.isReached;
    const first = freezeRun({ ...services, runs: firstRuns }, run);
    await firstRuns.barrier.isReached;
    lateLedger.barrier.open();
    await late;
    firstRuns.barrier.open();
    await first;
    expect(await addresses()).toHaveLength(300);
    expect((await runs.get(run)).numbers).toMatchObject({ audience: 300, duplicates: 0, queued: 300 });
  });

  it('ends when a chunk that it reads is dropped, because the run was frozen without it', async () => {
    const { runs, ledger, run, services } = await setup(makeCsv(300));
    const someone = encodeRecipients([{ address: 'x@example.com', fields: {} }]);
    await ledger.createChunk({ run, chunk: 0 }, someone, ['queued'], []);
    await freezeRun({ ...services, ledger: new DroppingLedger(test) }, run);
    expect((await runs.get(run)).frozenAt).toBeUndefined();
    await freezeRun(services, run);
    expect((await runs.get(run)).numbers).toMatchObject({ audience: 300, queued: 300 });
  });

  it('is refused with too many bad rows, and nobody can be claimed by a job', async () => {
    const { runs, run, services } = await setup('email,first_name\na@example.com,A\nbad,B\nworse,C\n');
    await expect(freezeRun(services, run)).rejects.toThrow(
      '2 of 3 rows are invalid (66.7%, and max_invalid is 20.0%)',
    );
    expect((await runs.get(run)).frozenAt).toBeUndefined();
  });

  it('leaves suppressed addresses unserved, with the reason, and the numbers add up', async () => {
    const csv =
      'email,first_name\nJane@Example.com,J\nother@example.com,O\njane@example.com,again\nbad,B\nbounced@example.com,X\n';
    const { runs, ledger, suppressions, run, services } = await setup(csv, 'max_invalid: 50%\n');
    const since = new Date();
    await suppressions.addMany([
      { address: 'jane@example.com', scope: 'news', reason: 'unsubscribe', since },
      { address: 'other@example.com', scope: 'another-campaign', reason: 'unsubscribe', since },
      { address: 'bounced@example.com', scope: EVERYTHING, reason: 'bounce', since },
    ]);
    await freezeRun(services, run);
    const { numbers } = await runs.get(run);
    expect(numbers).toMatchObject({ audience: 5, duplicates: 1, invalid: 1, suppressed: 2, queued: 1 });
    const ref = { run, chunk: 0 };
    expect(await ledger.states(ref)).toEqual(['suppressed', 'queued', 'suppressed']);
    expect((await ledger.journal(ref)).map(({ position, detail }) => [position, detail]).sort()).toEqual([
      [0, 'unsubscribe'],
      [2, 'bounce'],
    ]);
  });

  it('of a frozen run changes nothing', async () => {
    const { runs, run, rewrite, services } = await setup(makeCsv(3));
    await freezeRun(services, run);
    rewrite(makeCsv(50));
    expect(await freezeRun(services, run)).toBe(1);
    expect((await runs.get(run)).numbers.queued).toBe(3);
  });
});

describe('freezing for everybody’s own clock', () => {
  const ZONES = ['Asia/Tokyo', 'Europe/Berlin', '', 'America/New_York'];
  const SETTINGS =
    'schedule: { cron: 0 9 * * *, timezone: Europe/Berlin, timezone_field: Time zone }\nmax_invalid: 50%\n';
  const makeZonedCsv = (count: number, zoneOf = (index: number) => ZONES[index % ZONES.length]) =>
    `email,first_name,Time zone\n${Array.from({ length: count }, (_, n) => `reader${n}@example.com,R,${zoneOf(n)}\n`).join('')}`;

  /** The due time of each chunk, and the zones of its recipients. */
  async function chunksOf({ run, runs, ledger }: Awaited<ReturnType<typeof setup>>) {
    const { chunks } = await runs.get(run);
    const tallies = await runs.chunkTallies(run);
    return Promise.all(
      Array.from({ length: chunks }, async (_, chunk) => {
        const { recipients, dueAt } = await ledger.content({ run, chunk });
        const zones = [...new Set(recipients.map(({ fields }) => fields.time_zone))].sort();
        expect(tallies.get(chunk)?.dueAt).toBe(dueAt);
        return { dueAt, zones, size: recipients.length };
      }),
    );
  }

  /** Everybody once, and in no chunk two who are due at different times. */
  async function expectWhole(bundle: Awaited<ReturnType<typeof setup>>, count: number) {
    const frozen = await bundle.addresses();
    expect(frozen).toHaveLength(count);
    expect(new Set(frozen).size).toBe(count);
    const chunks = await chunksOf(bundle);
    for (const { dueAt, zones, size } of chunks) {
      expect(size).toBeLessThanOrEqual(500);
      if (zones.length > 1) expect(zones).toEqual(['', 'Europe/Berlin']);
      expect(dueAt).toBeGreaterThan(0);
    }
    const { parts, numbers } = await bundle.runs.get(bundle.run);
    expect(parts?.map(({ dueAt }) => dueAt.getTime())).toEqual(
      [...new Set(chunks.map(({ dueAt }) => dueAt))].sort(),
    );
    expect(parts?.reduce((sum, { recipients }) => sum + recipients, 0)).toBe(numbers.queued);
    expect(numbers).toMatchObject({ audience: count, queued: count });
  }

  it('puts into a chunk who is due together, the schedule’s zone for whoever has none', async () => {
    const bundle = await setup(makeZonedCsv(2_600), SETTINGS, 'schedule');
    await freezeRun(bundle.services, bundle.run);
    await expectWhole(bundle, 2_600);
    const { scheduledAt, parts } = await bundle.runs.get(bundle.run);
    const hours = parts?.map(({ dueAt, recipients }) => [
      (dueAt.getTime() - scheduledAt.getTime()) / 3_600_000,
      recipients,
    ]);
    expect(hours).toEqual([
      [5, 650],
      [13, 1_300],
      [19, 650],
    ]);
  });

  it('goes on after a crash with the times that chunks have, though the source names other zones by then', async () => {
    const bundle = await setup(makeZonedCsv(2_600), SETTINGS, 'schedule');
    const { services, run, rewrite } = bundle;
    await expect(freezeRun({ ...services, ledger: new DyingLedger(2) }, run)).rejects.toThrow('killed');
    rewrite(makeZonedCsv(2_600, (index) => ZONES[(index + 1) % ZONES.length]));
    await freezeRun(services, run);
    await expectWhole(bundle, 2_600);
  });

  it('by several at once, of which each meets the rows in another order, freezes everybody once', async () => {
    const bundle = await setup(makeZonedCsv(4_100), SETTINGS, 'schedule');
    const { services, run, rewrite } = bundle;
    const first = new WaitingLedger(test);
    const late = freezeRun({ ...services, ledger: first }, run);
    await first.barrier.isReached;
    const [header, ...rows] = makeZonedCsv(4_100).trimEnd().split('\n');
    rewrite(`${[header, ...rows.reverse()].join('\n')}\n`);
    const others = [freezeRun(services, run), freezeRun(services, run)];
    first.barrier.open();
    await Promise.all([late, ...others]);
    await expectWhole(bundle, 4_100);
  });

  it('counts zones that do not exist, and serves these people by the schedule’s', async () => {
    const zones = ['Europe/Berln', 'Mars/Base', 'Europe/Berlin', 'toString'];
    const bundle = await setup(
      makeZonedCsv(8, (n) => zones[n % 4]),
      SETTINGS,
      'schedule',
    );
    await freezeRun(bundle.services, bundle.run);
    const { parts, unknownZones } = await bundle.runs.get(bundle.run);
    expect(unknownZones).toBe(6);
    expect(parts).toMatchObject([{ recipients: 8 }]);
  });

  it('leaves out whom the time has passed when the campaign says `skip`, with the reason', async () => {
    const bundle = await setup(makeZonedCsv(8), `${SETTINGS}catch_up: skip\n`, 'schedule');
    const { services, run, runs, ledger } = bundle;
    // It begins at 10:00 UTC on 25 November; at 23:30 it is created.
    const { scheduledAt } = await runs.get(run);
    const createdAt = scheduledAt.getTime() + 13.5 * 3_600_000;
    await test.redis.hset(`${test.prefix}:1:{${run}}:record`, 'created_at', createdAt);
    await freezeRun(services, run);
    const { numbers } = await runs.get(run);
    expect(numbers).toMatchObject({ audience: 8, suppressed: 6, queued: 2 });
    const [entry] = await ledger.journal({ run, chunk: 0 });
    expect(entry?.detail).toContain('catch_up is skip');
  });

  it('that somebody starts by hand is one part, and due at once', async () => {
    const bundle = await setup(makeZonedCsv(8), SETTINGS);
    await freezeRun(bundle.services, bundle.run);
    expect((await bundle.runs.get(bundle.run)).parts).toBeUndefined();
    expect((await bundle.ledger.content({ run: bundle.run, chunk: 0 })).dueAt).toBe(0);
  });
});
