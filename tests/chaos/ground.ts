/**
 * What a round stands on, and what of it can be broken: a single Redis behind a wire, or a Redis Cluster whose masters have a
 * replica each.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeRedis, connectRedis, makeLogger } from '@sendonce/shared/runtime';
import { type EmbeddedRedis, startRedis } from '../../scripts/bootstrap/redis.mjs';
import { type RedisCluster, startRedisCluster } from '../../scripts/bootstrap/redisCluster.mjs';
import { TcpProxy } from './tcpProxy.js';

export interface Ground {
  /** For who is to see everything. */
  readonly redisUrl: string;
  /** For workers: what `cutNetwork` cuts. */
  readonly wiredRedisUrl: string;
  /** SIGKILL to a server, and a start on the same data. @param server of a cluster's masters; counts from 0. */
  killRedis(server: number): Promise<void>;
  /** A master dies, its replica takes over, and the dead one comes back. */
  killMaster(server: number): Promise<void>;
  cutNetwork(forMs: number): Promise<void>;
  stop(): Promise<void>;
}

const newDir = (): string => mkdtempSync(join(tmpdir(), 'sendonce-chaos-'));

export class SingleServer implements Ground {
  private constructor(
    private readonly dir: string,
    private readonly redis: EmbeddedRedis,
    private readonly proxy: TcpProxy,
  ) {}

  static async start(): Promise<SingleServer> {
    const dir = newDir();
    const redis = await startRedis({ dataDir: join(dir, 'redis') });
    return new SingleServer(dir, redis, await TcpProxy.start(redis.port));
  }

  get redisUrl(): string {
    return this.redis.url;
  }

  get wiredRedisUrl(): string {
    return this.proxy.url;
  }

  async killRedis(): Promise<void> {
    await this.redis.kill('SIGKILL');
    await this.redis.start();
  }

  async killMaster(): Promise<void> {
    throw new Error('A single Redis has no replica that could take over.');
  }

  async cutNetwork(forMs: number): Promise<void> {
    this.proxy.cut();
    await sleep(forMs);
    this.proxy.mend();
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await this.redis.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Others take a node for dead after this long, ms. */
const NODE_TIMEOUT_MS = 2_000;
const CUT_EVERY_MS = 50;

export class ClusterOfThree implements Ground {
  private constructor(
    private readonly dir: string,
    private readonly cluster: RedisCluster,
  ) {}

  static async start(): Promise<ClusterOfThree> {
    const dir = newDir();
    const options = { dataDir: join(dir, 'cluster'), replicas: 1, nodeTimeoutMs: NODE_TIMEOUT_MS };
    return new ClusterOfThree(dir, await startRedisCluster(options));
  }

  get redisUrl(): string {
    return this.cluster.url;
  }

  get wiredRedisUrl(): string {
    return this.cluster.url;
  }

  async killRedis(server: number): Promise<void> {
    const node = (await this.cluster.masters())[server];
    await node?.kill('SIGKILL');
    await node?.start();
    await this.cluster.whenWhole();
  }

  async killMaster(server: number): Promise<void> {
    const master = (await this.cluster.masters())[server];
    if (master) await this.cluster.failOver(master);
  }

  /** Clients learn the nodes' addresses from the cluster, past any wire; so its nodes drop them, again and again. */
  async cutNetwork(forMs: number): Promise<void> {
    const logger = makeLogger('chaos', 'silent');
    const nodes = this.cluster.nodes.map(({ url }) => connectRedis({ url, name: 'chaos', logger }));
    for (const until = Date.now() + forMs; Date.now() < until; await sleep(CUT_EVERY_MS))
      await Promise.all(nodes.map((node) => node.call('CLIENT', 'KILL', 'TYPE', 'normal')));
    await Promise.all(nodes.map(closeRedis));
  }

  async stop(): Promise<void> {
    await this.cluster.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
