/** Single messages on a real Redis: two dashboards, and dashboards that die or stand still at every step. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadedCampaign, loadCampaign } from '../campaign/index.js';
import { CHUNK_SIZE, type ChunkRef, encodeRecipients, Ledger } from '../ledger/index.js';
import { LinkPages } from '../links/index.js';
import { closeQueues, openQueues, type Queues } from '../queue/index.js';
import { Runs } from '../run/index.js';
import { makeLogger } from '../runtime/index.js';
import { SuppressionList } from '../suppression/index.js';
import {
  MESSAGE_YAML,
  makeCampaignDir,
  openTestRedis,
  StubClock,
  type TestRedis,
  waitFor,
} from '../testing/index.js';
import { MessagePlacer, type WaitingMessage } from './messagePlacer.js';
import { MessageRecords, messageId } from './messageRecords.js';
import { COLLECT_MS, MessageRuns } from './messageRuns.js';
import {
  fingerprintOf,
  MessageTemplates,
  UnfitMessageError,
  UnknownTemplateError,
} from './messageTemplates.js';
import {
  ForgottenMessageError,
  MessageMismatchError,
  type MessageRequest,
  SingleMessages,
} from './singleMessages.js';

const DAY_MS = 86_400_000;
const RETENTION_MS = 90 * DAY_MS;

let server: TestRedis;
let clock: StubClock;
let queues: Queues;
let runs: Runs;
let ledger: Ledger;
let campaignsDir: string;
let template: LoadedCampaign;
let suppressions: SuppressionList;

beforeEach(async () => {
  server = await openTestRedis();
  const { redis, prefix } = server;
  clock = new StubClock();
  queues = openQueues(redis, prefix);
  runs = new Runs({ redis, prefix, clock });
  ledger = new Ledger({ redis, prefix });
  suppressions = new SuppressionList({ redis, prefix, clock });
  campaignsDir = makeCampaignDir({ id: 'receipt', yaml: MESSAGE_YAML }, { id: 'news' });
  template = await loadCampaign(campaignsDir, 'receipt');
});
afterEach(async () => {
  await closeQueues(queues);
  await server.close();
});

function services() {
  const { redis, prefix } = server;
  const logger = makeLogger('test', 'silent');
  const linkPages = new LinkPages({ redis, prefix, clock });
  return { clock, linkPages, logger, queues, redis, runs, suppressions };
}

/** As a dashboard has it. */
function dashboard() {
  const templates = new MessageTemplates({ clock }, { campaignsDir });
  return new SingleMessages(
    { ...services(), templates },
    {
      prefix: server.prefix,
      journalRetentionMs: 14 * DAY_MS,
      ledgerRetentionMs: RETENTION_MS,
      durability: { allowsVolatile: true, minReplicas: 0 },
      takeOverAfterMs: 100,
    },
  );
}

/** What a dashboard is made of, to be stopped between two steps. */
function parts(ofLedger: Ledger = ledger) {
  const { prefix } = server;
  const records = new MessageRecords(services(), { prefix, retentionMs: RETENTION_MS });
  const messageRuns = new MessageRuns(services(), { prefix });
  return {
    records,
    messageRuns,
    placer: new MessagePlacer({ ...services(), ledger: ofLedger, messageRuns, records }),
  };
}

const request = (key: string, changes: Partial<MessageRequest> = {}): MessageRequest => ({
  client: 'shop',
  idempotencyKey: key,
  template: 'receipt',
  to: `${key}@example.com`,
  data: { first_name: 'Jane' },
  ...changes,
});

function waiting(key: string): WaitingMessage {
  const { client, to, data } = request(key);
  return {
    id: messageId(client, key),
    fingerprint: fingerprintOf(request(key)),
    address: to,
    addressKey: to,
    fields: data,
  };
}

/** Every recipient in the ledger, of all runs: the truth. */
async function everybody(): Promise<string[]> {
  const found: string[] = [];
  for (const run of await runs.open()) {
    const { chunks } = await runs.get(run);
    for (let chunk = 0; chunk < chunks; chunk++)
      if (await ledger.states({ run, chunk }))
        found.push(...(await ledger.recipients({ run, chunk })).map(({ address }) => address));
  }
  return found.sort();
}

/** Stands still before a chunk is created, until it is let go on. */
class StoppedLedger extends Ledger {
  #letGo: () => void = () => undefined;
  readonly #gate = new Promise<void>((resolve) => {
    this.#letGo = resolve;
  });
  isStopped = false;

  letGo(): void {
    this.#letGo();
  }

  override async createChunk(ref: ChunkRef, ...rest: [Buffer, readonly never[]]): Promise<boolean> {
    if (!this.isStopped) {
      this.isStopped = true;
      await this.#gate;
    }
    return super.createChunk(ref, ...rest);
  }
}

describe('a message', () => {
  it('is a recipient of a run, with a job, and its run counts it', async () => {
    const { record, state, replayed } = await dashboard().accept(request('a'));
    expect({ state, replayed }).toEqual({ state: 'queued', replayed: false });
    const { place } = record;
    expect(await ledger.recipients(place)).toEqual([
      { address: 'a@example.com', fields: { first_name: 'Jane' } },
    ]);
    expect(await queues.messages.getJob(`${place.run}/${place.chunk}`)).toMatchObject({
      data: { run: place.run },
    });
    expect(await runs.get(place.run)).toMatchObject({
      campaign: 'receipt',
      origin: 'messages',
      status: 'collecting',
      chunks: 1,
      numbers: { audience: 1, queued: 1 },
    });
    expect(JSON.stringify(await queues.messages.getJobs())).not.toContain('example.com');
  });

  it('shares a chunk and a job with those that come at the same time, and no more than a chunk holds', async () => {
    const shop = dashboard();
    const keys = Array.from({ length: CHUNK_SIZE + 20 }, (_, index) => `k${index}`);
    const accepted = await Promise.all(keys.map((key) => shop.accept(request(key))));
    const chunks = new Set(accepted.map(({ record }) => record.place.chunk));
    expect(chunks.size).toBe(2);
    expect(await everybody()).toEqual(keys.map((key) => `${key}@example.com`).sort());
    expect(await queues.messages.getWaitingCount()).toBe(2);
    const [run = ''] = await runs.open();
    expect((await runs.get(run)).numbers).toMatchObject({ audience: keys.length, queued: keys.length });
  });

  it('of a suppressed address is accepted, and not sent', async () => {
    await suppressions.add({
      address: 'a@example.com',
      scope: 'receipt',
      reason: 'complaint',
      since: new Date(),
    });
    const { record, state } = await dashboard().accept(request('a'));
    expect(state).toBe('suppressed');
    expect(await ledger.states(record.place)).toEqual(['suppressed']);
    expect(await ledger.journal(record.place)).toMatchObject([{ event: 'suppress', detail: 'complaint' }]);
    expect(await queues.messages.getWaitingCount()).toBe(0);
    expect((await runs.get(record.place.run)).numbers).toMatchObject({
      audience: 1,
      suppressed: 1,
      queued: 0,
    });
  });

  it.each([
    ['an address that can not be used', { to: 'nobody' }, ['/to']],
    ['a field that the template uses and the data lack', { data: {} }, ['/data/first_name']],
    [
      'a name that templates can not use',
      { data: { first_name: 'J', 'Last name': 'D' } },
      ['/data/Last name'],
    ],
    ['the name of a built-in value', { data: { first_name: 'J', campaign: 'x' } }, ['/data/campaign']],
  ])('with %s is refused, and uses up nothing', async (_, changes, pointers) => {
    const shop = dashboard();
    const refused = shop.accept(request('a', changes));
    await expect(refused).rejects.toThrow(UnfitMessageError);
    await refused.catch(({ findings }) =>
      expect(findings.map(({ pointer }: never) => pointer)).toEqual(pointers),
    );
    expect(await runs.open()).toEqual([]);
    expect((await shop.accept(request('a'))).replayed).toBe(false);
  });

  it('that can not be rendered is refused, and the reason holds no value', async () => {
    writeFileSync(
      join(campaignsDir, 'receipt', 'body.txt'),
      '{{ order.total | plus: 1 }} {{ first_name }}\n',
    );
    clock.advance(2_000);
    const broken = dashboard().accept(request('a', { data: { first_name: 'Jane', order: { secret: 1 } } }));
    await expect(broken).rejects.toThrow(/order\.total/);
    expect(await everybody()).toEqual([]);
  });

  it('needs a template of messages', async () => {
    const shop = dashboard();
    await expect(shop.accept(request('a', { template: 'news' }))).rejects.toThrow(UnknownTemplateError);
    await expect(shop.accept(request('a', { template: 'nothing' }))).rejects.toThrow(UnknownTemplateError);
  });
});

describe('a key', () => {
  it('is one message, when it comes many times at once to two dashboards', async () => {
    const dashboards = [dashboard(), dashboard()];
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, round) =>
        keys.map((key) =>
          dashboards[round % 2]?.accept(request(key)).then(({ record }) => ({ key, record })),
        ),
      ).flat(),
    );
    expect(await everybody()).toEqual(keys.map((key) => `${key}@example.com`).sort());
    for (const key of keys) {
      const places = answers
        .filter((answer) => answer?.key === key)
        .map((answer) => JSON.stringify(answer?.record.place));
      expect(new Set(places).size, key).toBe(1);
    }
  });

  it('answers a repeated request with what became of it, also when the template is gone', async () => {
    const { record } = await dashboard().accept(request('a'));
    await ledger.claim(record.place, 'claim', 1);
    campaignsDir = makeCampaignDir();
    expect(await dashboard().accept(request('a'))).toEqual({ record, state: 'claimed', replayed: true });
  });

  it.each([
    ['address', { to: 'other@example.com' }],
    ['data', { data: { first_name: 'John' } }],
    ['template', { template: 'news' }],
  ])('stands for nothing with another %s', async (_, changes) => {
    const shop = dashboard();
    await shop.accept(request('a'));
    await expect(shop.accept(request('a', changes))).rejects.toThrow(MessageMismatchError);
    expect(
      (await shop.accept(request('a', { client: 'other', ...changes, template: 'receipt' }))).replayed,
    ).toBe(false);
  });

  it('does not care for the order of the data', async () => {
    const shop = dashboard();
    await shop.accept(request('a', { data: { first_name: 'J', b: { c: 1, d: [2] } } }));
    const { replayed } = await shop.accept(request('a', { data: { b: { d: [2], c: 1 }, first_name: 'J' } }));
    expect(replayed).toBe(true);
  });

  it('begins nothing anew when the ledger has forgotten its message', async () => {
    const { record } = await dashboard().accept(request('a'));
    await ledger.drop(record.place);
    clock.advance(RETENTION_MS / 2 + 1);
    await expect(dashboard().accept(request('a'))).rejects.toThrow(ForgottenMessageError);
  });
});

describe('a dashboard that dies', () => {
  it('after a number was allotted leaves a gap that harms nobody', async () => {
    await parts().messageRuns.allot(template);
    await dashboard().accept(request('a'));
    expect(await everybody()).toEqual(['a@example.com']);
  });

  it('after a run was created leaves an empty one', async () => {
    await runs.create(template, new Date(clock.now()), 'messages');
    const { record } = await dashboard().accept(request('a'));
    expect(await runs.get(record.place.run)).toMatchObject({
      status: 'collecting',
      numbers: { audience: 1 },
    });
  });

  it('after a message was given a place has it taken over, once, whoever and how many come', async () => {
    const { messageRuns, records } = parts();
    const ref = await messageRuns.allot(template);
    const keys = ['a', 'b', 'c'];
    for (const [position, key] of keys.entries()) {
      const { id, fingerprint } = waiting(key);
      await records.put(id, { ...ref, position }, fingerprint, undefined);
    }
    const dashboards = [dashboard(), dashboard()];
    const answers = await Promise.all(
      [0, 1, 0, 1].flatMap((index) => keys.map((key) => dashboards[index]?.accept(request(key)))),
    );
    expect(await everybody()).toEqual(['a@example.com', 'b@example.com', 'c@example.com']);
    expect(new Set(answers.map((answer) => JSON.stringify(answer?.record.place))).size).toBe(3);
    expect(await ledger.states(ref)).toEqual([]);
  });

  it('after the chunk was created has accepted the message', async () => {
    const { messageRuns, records } = parts();
    const ref = await messageRuns.allot(template);
    const { id, fingerprint, address, fields } = waiting('a');
    await records.put(id, { ...ref, position: 0 }, fingerprint, undefined);
    await ledger.createChunk(ref, encodeRecipients([{ address, fields }]), ['queued']);
    expect(await dashboard().accept(request('a'))).toMatchObject({ state: 'queued', replayed: true });
    expect(await everybody()).toEqual(['a@example.com']);
  });
});

describe('a dashboard that stands still before it creates a chunk', () => {
  it('takes along only what nobody has taken over', async () => {
    const stopped = new StoppedLedger({ redis: server.redis, prefix: server.prefix });
    const placing = parts(stopped).placer.place(template, ['a', 'b', 'c'].map(waiting));
    await waitFor('the stop', () => stopped.isStopped);
    const { record } = await dashboard().accept(request('b'));
    stopped.letGo();
    const [a, b, c] = await placing;
    expect(b).toBeUndefined();
    expect(await everybody()).toEqual(['a@example.com', 'b@example.com', 'c@example.com']);
    const others = dashboard();
    for (const [key, placed] of [
      ['a', a],
      ['b', { record }],
      ['c', c],
    ] as const)
      expect(await others.accept(request(key))).toMatchObject({ record: placed?.record, replayed: true });
  });

  it('and whose run is sealed and closed meanwhile takes its messages to the next one', async () => {
    const stopped = new StoppedLedger({ redis: server.redis, prefix: server.prefix });
    const { messageRuns, placer } = parts(stopped);
    const placing = placer.place(template, [waiting('a')]);
    await waitFor('the stop', () => stopped.isStopped);
    const [run = ''] = await runs.open();
    await runs.seal(run);
    await ledger.bury({ run, chunk: 0 });
    stopped.letGo();
    const [placed] = await placing;
    expect(placed?.record.place.run).not.toBe(run);
    expect(await messageRuns.allot(template)).toMatchObject({ run: placed?.record.place.run });
    expect(await everybody()).toEqual(['a@example.com']);
  });

  it('knows its own chunk again when the answer to its creation was lost', async () => {
    class DeafLedger extends Ledger {
      override async createChunk(...chunk: Parameters<Ledger['createChunk']>): Promise<boolean> {
        await super.createChunk(...chunk);
        return super.createChunk(...chunk);
      }
    }
    const deaf = new DeafLedger({ redis: server.redis, prefix: server.prefix });
    const [placed] = await parts(deaf).placer.place(template, [waiting('a')]);
    expect(placed?.record.place.chunk).toBe(0);
    expect(await everybody()).toEqual(['a@example.com']);
  });
});

describe('a run of messages', () => {
  it('is followed by another one after its time, and when the files have changed', async () => {
    const shop = dashboard();
    const runOf = async (key: string) => (await shop.accept(request(key))).record.place.run;
    const first = await runOf('a');
    expect(await runOf('b')).toBe(first);
    clock.advance(COLLECT_MS);
    const second = await runOf('c');
    expect(second).not.toBe(first);
    expect((await runs.get(first)).frozenAt).toBeDefined();
    writeFileSync(join(campaignsDir, 'receipt', 'body.txt'), 'Dear {{ first_name }}\n');
    clock.advance(2_000);
    const third = await runOf('d');
    expect(third).not.toBe(second);
    expect((await runs.snapshot(third)).body.text).toBe('Dear {{ first_name }}\n');
  });

  it('is one for two dashboards that begin at the same time, and a run each for two versions', async () => {
    const [one, two] = [parts().messageRuns, parts().messageRuns];
    const other = { ...template, hash: 'another' };
    const refs = await Promise.all([
      one.allot(template),
      two.allot(template),
      one.allot(other),
      two.allot(other),
    ]);
    const [a, b, c, d] = refs.map(({ run }) => run);
    expect(a).toBe(b);
    expect(c).toBe(d);
    expect(a).not.toBe(c);
    expect(new Set(refs.map(({ run, chunk }) => `${run}/${chunk}`)).size).toBe(4);
  });

  it('takes in nothing once it is cancelled', async () => {
    const shop = dashboard();
    const { record } = await shop.accept(request('a'));
    await runs.cancel(record.place.run, 'a mistake');
    clock.advance(1_000);
    expect((await shop.accept(request('b'))).record.place.run).not.toBe(record.place.run);
  });
});
