/** Claims on a Redis whose reply alone promises little: `everysec`, and replicas. Real servers, of the old kind and the new. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  assertDurable,
  ClaimBarrier,
  encodeRecipients,
  Ledger,
  NotDurableError,
  readDurability,
} from '@sendonce/shared/ledger';
import { LinkPages } from '@sendonce/shared/links';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import {
  systemClock as clock,
  closeRedis,
  connectRedis,
  makeLogger,
  type RedisConnection,
} from '@sendonce/shared/runtime';
import { MessageTemplates, SingleMessages } from '@sendonce/shared/singleMessages';
import { SuppressionList } from '@sendonce/shared/suppression';
import { MESSAGE_YAML, makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type NewerServer, newerServers } from '../../scripts/bootstrap/newerServers.mjs';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';
import { System } from '../e2e/system.js';

/** A replica gets its copy at once, and not when five seconds have brought more of them. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0'];
const EVERYSEC = ['--appendfsync', 'everysec', ...AT_ONCE];
const REF = { run: 'news--20261124T100000Z', chunk: 0 };

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(args: string[], server?: NewerServer) {
  const redis = await startRedis({
    dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-barrier-')), 'redis'),
    args,
    ...(server && { launcher: server.launcher }),
  });
  cleanups.push(() => redis.stop());
  return redis;
}

function connect(url: string) {
  const redis = connectRedis({ url, name: 'test', logger: makeLogger('test', 'silent') });
  cleanups.push(() => closeRedis(redis));
  return redis;
}

/** A ledger with one chunk of three queued recipients, as a worker would open it. */
async function openLedger(url: string, minReplicas?: number) {
  const redis = connect(url);
  const durability = await readDurability(redis, minReplicas);
  const barrier = durability.safeguard && new ClaimBarrier({ redis }, durability.safeguard);
  if (barrier) cleanups.push(() => barrier.stop());
  const ledger = new Ledger({ redis, prefix: 'test', barrier });
  const recipients = [0, 1, 2].map((n) => ({ address: `reader${n}@example.com`, fields: {} }));
  await ledger.createChunk(REF, encodeRecipients(recipients), ['queued', 'queued', 'queued']);
  const suppressions = new SuppressionList({ redis, prefix: 'test', clock, barrier });
  return { redis, ledger, suppressions, durability };
}

async function startReplica(master: { port: number }, args: string[], server?: NewerServer) {
  const replica = await start([...args, '--replicaof', '127.0.0.1', String(master.port)], server);
  const redis = connect(replica.url);
  await waitFor('the replica', async () =>
    (await redis.info('replication')).includes('master_link_status:up'),
  );
  return replica;
}

describe.skipIf(newerServers.length === 0).each(newerServers)('on $name with everysec', (server) => {
  it('a claim is on disk when it is answered, and without the barrier it is not', async () => {
    const { url } = await start(EVERYSEC, server);
    const { redis, ledger, durability } = await openLedger(url);
    expect(durability).toMatchObject({
      guarantee: 'every-claim',
      safeguard: { command: 'WAITAOF', disk: 1, replicas: 0 },
    });
    // In a transaction WAITAOF says what is, and waits for nothing.
    const isOnDisk = async () => {
      const [[, counts] = []] = (await redis.multi().call('WAITAOF', 1, 0, 0).exec()) ?? [];
      return (counts as number[])[0] === 1;
    };

    expect((await ledger.claim(REF, 'safe', 1)).positions).toEqual([0]);
    expect(await isOnDisk()).toBe(true);
    await new Ledger({ redis, prefix: 'test' }).claim(REF, 'bare', 1);
    expect(await isOnDisk()).toBe(false);
    expect((await ledger.claim(REF, 'safe too', 1)).positions).toEqual([2]);
    expect(await isOnDisk()).toBe(true);
  });

  it('claims that come together wait together', async () => {
    const { url } = await start(EVERYSEC, server);
    const { redis, ledger } = await openLedger(url);
    const claims = await Promise.all(['a', 'b', 'c'].map((id) => ledger.claim(REF, id, 1)));
    expect(claims.flatMap(({ positions }) => positions).sort()).toEqual([0, 1, 2]);
    const stats = await redis.info('commandstats');
    const calls = Number(/cmdstat_waitaof:calls=(\d+)/.exec(stats)?.[1]);
    // One of them asked at the start what this server can do.
    expect(calls).toBeLessThanOrEqual(3);
  });

  it('everybody gets one mail, also when a worker is killed on the way', async () => {
    const { url } = await start(EVERYSEC, server);
    const campaignsDir = makeCampaignDir({ csv: makeCsv(300), settings: 'in_doubt: resend\n' });
    const system = await System.start({ campaignsDir, redisUrl: url });
    cleanups.push(() => system.stop());
    await system.startDashboard();
    const victim = system.spawn('worker');
    const run = await system.startRun();
    await system.whenSent(run, 100);
    await system.kill(victim);
    system.spawn('worker');
    const { numbers } = await system.whenFinished(run);
    expect(numbers).toMatchObject({ sent: 300, in_doubt: 0 });
    expect(await system.inbox(run)).toEqual({ messages: 300, recipients: 300, duplicates: 0 });
  });

  it('a replica that has to have it on disk, too, is waited for', async () => {
    const master = await start(EVERYSEC, server);
    const replica = await startReplica(master, EVERYSEC, server);
    const { ledger, durability } = await openLedger(master.url, 1);
    expect(durability.safeguard).toEqual({ command: 'WAITAOF', disk: 1, replicas: 1 });
    expect((await ledger.claim(REF, 'a', 1)).positions).toEqual([0]);

    await replica.kill('SIGSTOP');
    await expect(ledger.claim(REF, 'b', 1)).rejects.toThrow(
      '0 of 1 replicas of Redis have confirmed a write',
    );
    expect(await ledger.states(REF)).toEqual(['claimed', 'queued', 'queued']);
    await replica.kill('SIGCONT');
    expect((await ledger.claim(REF, 'c', 1)).positions).toEqual([1]);
  });
});

describe('REDIS_MIN_REPLICAS where there is no WAITAOF, or no need for it', () => {
  it('waits for the replica, unless it is told not to', async () => {
    const master = await start(AT_ONCE);
    const replica = await startReplica(master, []);
    const { redis, ledger, suppressions, durability } = await openLedger(master.url);
    const leaves = (name: string) =>
      suppressions.add({
        address: `${name}@example.com`,
        scope: 'news',
        reason: 'unsubscribe',
        since: new Date(clock.now()),
      });
    const careless = await readDurability(redis, 0);
    expect(careless.safeguard).toBeUndefined();
    expect(careless).toMatchObject({
      mend: 'REDIS_MIN_REPLICAS=1',
      detail: expect.stringContaining('go out twice'),
    });
    expect(durability.safeguard).toMatchObject({ disk: 0, replicas: 1 });
    const messages = openMessages(connect(master.url), 1);
    expect((await ledger.claim(REF, 'a', 1)).positions).toEqual([0]);
    expect(await messages.accept(message('a'))).toMatchObject({ state: 'queued', replayed: false });
    expect(await leaves('a')).toBe('added');
    await replica.kill('SIGSTOP');
    await Promise.all([
      expect(ledger.claim(REF, 'b', 1)).rejects.toBeInstanceOf(NotDurableError),
      expect(messages.accept(message('b'))).rejects.toBeInstanceOf(NotDurableError),
      expect(leaves('b')).rejects.toBeInstanceOf(NotDurableError),
    ]);
    expect(await ledger.states(REF)).toEqual(['claimed', 'queued', 'queued']);
    await replica.kill('SIGCONT');
    // It is there, and now it is durable: the same key again is told so.
    expect(await messages.accept(message('b'))).toMatchObject({ state: 'queued', replayed: true });
    expect(await leaves('b')).toBe('known');
  });

  it('has who starts a run by hand told how to start it once', async () => {
    const master = await start(AT_ONCE);
    const replica = await startReplica(master, []);
    const system = await System.start({
      campaignsDir: makeCampaignDir({ csv: makeCsv(3) }),
      redisUrl: master.url,
    });
    cleanups.push(() => system.stop());
    const run = ['run', 'news', '--at', '2026-11-24T10:00:00.000Z'];
    await replica.kill('SIGSTOP');
    const unsafe = await system.sendonce(...run);
    expect(unsafe.code).toBe(2);
    expect(unsafe.err).toContain(`\`sendonce ${run.join(' ')}\` starts it once`);
    const off = ['suppress', 'add', 'jane@example.com'];
    expect((await system.sendonce(...off)).err).toContain('The same command once more makes sure of it.');
    await replica.kill('SIGCONT');
    expect((await system.sendonce(...off)).out).toContain('It is on the list already.');
    expect((await system.sendonce(...run)).out).toContain('news--20261124T100000Z exists');
  });

  it('is refused at the start when there are too few', async () => {
    const { url } = await start([]);
    const durability = await readDurability(connect(url), 1);
    expect(() => assertDurable(durability, { allowsVolatile: false, minReplicas: 1 })).toThrow(
      'REDIS_MIN_REPLICAS is 1, and Redis has 0 replicas connected',
    );
  });
});

describe('a claim that Redis has lost', () => {
  it('is not confirmed, and no run or chunk either', async () => {
    const { url } = await start([]);
    const redis = connect(url);
    const barrier = new ClaimBarrier({ redis }, { command: 'WAIT', disk: 0, replicas: 0 });
    cleanups.push(() => barrier.stop());
    await expect(barrier.confirm('test:{a}:claims', 'gone')).rejects.toThrow('Redis has lost a write');
    await redis.set('test:{a}:version', 3);
    await barrier.confirmVersion('test:{a}:version', 3);
    await expect(barrier.confirmVersion('test:{a}:version', 4)).rejects.toThrow('Redis has lost a write');
    await redis.sadd('test:open', 'one');
    await barrier.confirmMember('test:open', 'one');
    expect(await redis.smembers('test:open')).toEqual(['one']);
    await expect(barrier.confirmMember('test:open', 'other')).rejects.toThrow('Redis has lost a write');
  });

  it('is asked for at the master of its slot in a cluster', async () => {
    const server = await start(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
    await connect(server.url).call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    const redis = connect(`${server.url},${server.url}`);
    await waitFor('the cluster', async () =>
      String(await redis.call('CLUSTER', 'INFO').catch(() => '')).includes('cluster_state:ok'),
    );
    const barrier = new ClaimBarrier({ redis }, { command: 'WAIT', disk: 0, replicas: 0 });
    cleanups.push(() => barrier.stop());
    await redis.hset('test:{a}:claims', 'mine', '1 0');
    await barrier.confirm('test:{a}:claims', 'mine');
    await expect(barrier.confirm('test:{b}:claims', 'gone')).rejects.toThrow('Redis has lost a write');
    const messages = openMessages(redis);
    const accepted = await Promise.all(['a', 'b', 'c'].map((key) => messages.accept(message(key))));
    expect(accepted.map(({ state }) => state)).toEqual(['queued', 'queued', 'queued']);
    expect(await messages.accept(message('a'))).toMatchObject({
      record: accepted[0]?.record,
      replayed: true,
    });

    await server.kill();
    await server.start();
    await waitFor('its connection to be back', () =>
      barrier.confirm('test:{a}:claims', 'mine').then(
        () => true,
        () => false,
      ),
    );
  });
});

function openMessages(redis: RedisConnection, minReplicas = 0): SingleMessages {
  const prefix = 'test';
  const runs = new Runs({ redis, prefix, clock });
  const queues = openQueues(redis, prefix);
  cleanups.push(() => closeQueues(queues));
  const campaignsDir = makeCampaignDir({ id: 'receipt', yaml: MESSAGE_YAML });
  const messages = new SingleMessages(
    {
      clock,
      linkPages: new LinkPages({ redis, prefix, clock }),
      logger: makeLogger('test', 'silent'),
      queues,
      redis,
      runs,
      suppressions: new SuppressionList({ redis, prefix, clock }),
      templates: new MessageTemplates({ clock }, { campaignsDir }),
    },
    {
      prefix,
      journalRetentionMs: 86_400_000,
      ledgerRetentionMs: 86_400_000,
      durability: { allowsVolatile: true, minReplicas },
    },
  );
  cleanups.push(() => messages.stop());
  return messages;
}

function message(idempotencyKey: string) {
  const to = `${idempotencyKey}@example.com`;
  return { client: 'shop', idempotencyKey, template: 'receipt', to, data: { first_name: 'Jane' } };
}
