import type { EmbeddedRedis, RedisLauncher } from './redis.mjs';

export interface RedisCluster {
  /** Of all nodes, as `REDIS_URL` has it. */
  readonly url: string;
  /** In the order in which they were started: those that were masters at first, then the replicas of each in turn. */
  readonly nodes: readonly EmbeddedRedis[];
  /** Who is master of a key now. @throws while nobody is. */
  masterOf(key: string): Promise<EmbeddedRedis>;
  /** Who are masters now, by their slots. */
  masters(): Promise<EmbeddedRedis[]>;
  /** A replica that runs. @throws when it has none. */
  replicaOf(master: EmbeddedRedis): Promise<EmbeddedRedis>;
  /** From here on a replica gets nothing from its master. It may take over all the same, and then lacks what came since. */
  cutOff(replica: EmbeddedRedis): Promise<void>;
  /**
   * Kills a master and lets its replica take over, also one that was cut off; then the dead one comes back on its data, as a replica. Resolves when the
   * cluster is whole again.
   */
  failOver(master: EmbeddedRedis): Promise<void>;
  /** Resolves when all slots are served and every replica that runs has a copy. */
  whenWhole(): Promise<void>;
  stop(): Promise<void>;
}

export interface RedisClusterOptions {
  /** A folder a node is made in it. */
  dataDir: string;
  /** Default 3. */
  masters?: number;
  /** Of each master. Default 0. */
  replicas?: number;
  /** How long a node may be silent before the others take it for dead, and its replica takes over, ms. Default 15,000. */
  nodeTimeoutMs?: number;
  /** Further arguments for every server; they win over ours. */
  args?: string[];
  /** Default: whatever server this machine has or can get. */
  launcher?: RedisLauncher;
  /** The folder is removed by `stop`. */
  isTemporary?: boolean;
}

/** @throws when a node does not start, or when they do not become a cluster. */
export function startRedisCluster(options: RedisClusterOptions): Promise<RedisCluster>;

/** On a folder of this process, `.data/tmp-NAME-PID`, that goes with the cluster. */
export function startTemporaryCluster(
  name: string,
  options?: Omit<RedisClusterOptions, 'dataDir' | 'isTemporary'>,
): Promise<RedisCluster>;
