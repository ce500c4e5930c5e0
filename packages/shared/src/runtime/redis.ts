/**
 * Connections to Redis, single node or cluster. ioredis keeps a connection up by itself; a command that is sent while
 * Redis restarts waits for it, because `maxRetriesPerRequest: null` (BullMQ asks for that too): workers sit out a restart.
 */
import { Cluster, Redis } from 'ioredis';
import type { Logger } from './logger.js';

export type RedisConnection = Redis | Cluster;

/** Reconnects soon at first, then every 2 s: a restart of Redis on its AOF takes seconds. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 6), 2_000);
}

/**
 * A node that is away is waited for as a single server is: ioredis's own 16 tries are over after 1.6 s, and with them every job
 * under way. The delays keep hundreds of waiting commands from asking all the time; MOVED has none of its own, and two nodes
 * that disagree for a moment send a command back and forth.
 */
const SITS_OUT_A_NODE = {
  maxRedirections: Number.POSITIVE_INFINITY,
  retryDelayOnClusterDown: 500,
  retryDelayOnFailover: 500,
  retryDelayOnMoved: 20,
};

export interface RedisConfig {
  /** `redis://…` or `rediss://…`; several, separated by commas, are the seeds of a cluster. */
  url: string;
  /** How the connection shows in `CLIENT LIST`. */
  name: string;
  logger: Logger;
  /**
   * Whether commands may wait for a Redis that is away. Default true. A web page rather gets an error than hangs.
   */
  waitsForRedis?: boolean;
}

/** Opens a connection; returns at once, commands wait until it is up. */
export function connectRedis({ url, name, logger, waitsForRedis = true }: RedisConfig): RedisConnection {
  const retries = waitsForRedis ? null : 1;
  const urls = url.split(',').map((part) => new URL(part.trim()));
  const [first] = urls;
  const connection =
    urls.length > 1 && first
      ? new Cluster(
          urls.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6379) })),
          {
            redisOptions: {
              connectionName: name,
              maxRetriesPerRequest: retries,
              ...(first.password && { password: decodeURIComponent(first.password) }),
              ...(first.username && { username: decodeURIComponent(first.username) }),
              ...(first.protocol === 'rediss:' && { tls: {} }),
            },
            // A certificate is for a name; ioredis would ask for addresses and connect to these.
            ...(first.protocol === 'rediss:' && {
              dnsLookup: (host: string, found: (error: null, address: string) => void) => found(null, host),
            }),
            clusterRetryStrategy: reconnectDelayMs,
            ...(waitsForRedis && SITS_OUT_A_NODE),
          },
        )
      : new Redis(url, {
          connectionName: name,
          maxRetriesPerRequest: retries,
          retryStrategy: reconnectDelayMs,
        });
  reportConnection(connection, logger);
  return connection;
}

/** Logs the loss and the return of a connection once each, not every attempt in between. */
function reportConnection(connection: RedisConnection, logger: Logger): void {
  let lost = false;
  connection.on('error', (error: Error) => {
    if (!lost) logger.warn({ reason: error.message }, 'redis is away');
    lost = true;
  });
  connection.on('ready', () => {
    if (lost) logger.info('redis is back');
    lost = false;
  });
}

/** Closes a connection; one that is not up is dropped, since QUIT would wait for Redis to come back. */
export async function closeRedis(connection: RedisConnection): Promise<void> {
  if (connection.status === 'ready') await connection.quit().catch(() => connection.disconnect());
  else connection.disconnect();
}
