/**
 * What this Redis keeps when it crashes, and what is done about it. The ledger is as durable as the server that holds it: a
 * claim that is lost after SES took the mail is a mail that goes out twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { type RedisConnection, UsageError } from '../runtime/index.js';

type Guarantee =
  /** A write is on disk before its reply. */
  | 'every-write'
  /** A claim waits until the disk has it (WAITAOF); other writes of the last second can be lost. */
  | 'every-claim'
  /** A crash of the machine can lose a second of writes. */
  | 'every-second'
  /** A crash can lose everything. */
  | 'none'
  /** The server does not tell (managed services often forbid CONFIG). */
  | 'unknown';

/** What a claim waits for beyond Redis's reply. */
export interface Safeguard {
  /** WAIT, where the server has no WAITAOF, knows of replicas' memory only. */
  command: 'WAITAOF' | 'WAIT';
  /** 1: the master's disk has to have it; 0: its reply is enough. */
  disk: 0 | 1;
  /** So many replicas as well. */
  replicas: number;
}

export interface Durability {
  guarantee: Guarantee;
  /** Under memory pressure the server throws keys away. */
  evicts: boolean;
  /** Replicas that are connected to the master that has the fewest. */
  replicas: number;
  /** How many of them have to have a claim: `REDIS_MIN_REPLICAS`, or one where any master has a replica. */
  awaitedReplicas: number;
  /** Undefined when Redis's reply says it all. */
  safeguard?: Safeguard;
  /** In plain words: what is set, and what can be lost. */
  detail: string;
  /** What mends it; undefined when nothing needs mending. */
  mend?: string;
}

const LOSSES: Record<Guarantee, string> = {
  'every-write': 'a claim is on disk before SES hears of it',
  'every-claim':
    'a claim waits for the disk (WAITAOF, up to a second a micro-batch) before SES hears of it; when the machine crashes, answers of the last second are in doubt',
  'every-second':
    'when the machine crashes, claims of the last second are lost, and their mails go out twice (Redis 7.2 and Valkey have WAITAOF against that)',
  none: 'when Redis crashes, the ledger is lost, and whoever was served gets the mail again',
  unknown: 'this server does not tell its settings; see what its operator promises',
};

/** Weakest first: a cluster promises what its weakest master does. */
const WEAKEST_FIRST: Guarantee[] = ['none', 'unknown', 'every-second', 'every-claim', 'every-write'];

/** Half a minute in all: longer than a cluster takes by default to let a replica take over. */
const ATTEMPTS = 60;
const RETRY_MS = 500;

interface Server {
  guarantee: Guarantee;
  evicts: boolean;
  replicas: number;
  hasWaitAof: boolean;
  settings: string;
}

/**
 * @param minReplicas `REDIS_MIN_REPLICAS`: how many replicas have to have a claim. Unless somebody says so, one: whoever has
 *   replicas has them to take over, and one that takes over without the last claims sends their mails again.
 */
export async function readDurability(redis: RedisConnection, minReplicas?: number): Promise<Durability> {
  const servers = await Promise.all((await mastersOf(redis)).map(readServer));
  const [weakest] = servers.sort(
    (a, b) => WEAKEST_FIRST.indexOf(a.guarantee) - WEAKEST_FIRST.indexOf(b.guarantee),
  );
  if (!weakest) throw new Error('The Redis Cluster has no master.');
  const { guarantee } = weakest;
  const evicts = servers.some((server) => server.evicts);
  const replicas = Math.min(...servers.map((server) => server.replicas));
  // A master whose only replica has just taken over from it, or died, has none; the others tell that there are to be some.
  const hasReplicas = servers.some((server) => server.replicas > 0);
  const awaitedReplicas = minReplicas ?? (hasReplicas ? 1 : 0);
  const risksFailover = hasReplicas && awaitedReplicas === 0;
  const safeguard = safeguardOf(servers, awaitedReplicas);
  const details = [
    `${weakest.settings}${LOSSES[guarantee]}`,
    ...(evicts ? ['and it may throw the ledger away when memory gets short'] : []),
    ...(awaitedReplicas > 0 ? [`and ${awaitedReplicas} of ${replicas} replicas confirm it`] : []),
    ...(risksFailover
      ? [
          'a failover can lose claims that its replica had not got yet, and their mails go out twice: REDIS_MIN_REPLICAS makes claims wait for replicas',
        ]
      : []),
  ];
  const mends = [
    ...(guarantee === 'none' ? ['CONFIG SET appendonly yes'] : []),
    ...(guarantee === 'none' || guarantee === 'every-second' ? ['CONFIG SET appendfsync always'] : []),
    ...(evicts ? ['CONFIG SET maxmemory-policy noeviction'] : []),
  ];
  const commands = mends.length > 0 ? [...mends, 'CONFIG REWRITE'] : [];
  const mend = [
    ...commands.map((command) => `redis-cli ${command}`),
    ...(risksFailover ? ['REDIS_MIN_REPLICAS=1'] : []),
  ].join('; ');
  return {
    guarantee,
    evicts,
    replicas,
    awaitedReplicas,
    ...(safeguard && { safeguard }),
    detail: details.join('; '),
    ...(mend && { mend }),
  };
}

/**
 * The same for a process that starts, which may be while a node of a cluster is dead and its replica has not taken over yet, or
 * has done so and has none itself.
 */
export async function awaitDurability(redis: RedisConnection, minReplicas?: number): Promise<Durability> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt === ATTEMPTS;
    try {
      const durability = await readDurability(redis, minReplicas);
      if (isLast || durability.replicas >= durability.awaitedReplicas) return durability;
    } catch (error) {
      if (isLast) throw error;
    }
    await sleep(RETRY_MS);
  }
}

/**
 * @throws {UsageError} when the ledger would not survive, unless whoever runs this says that this is all right; and when
 *   there are fewer replicas than have to confirm.
 */
export function assertDurable(
  { guarantee, evicts, detail, mend, replicas, awaitedReplicas }: Durability,
  { allowsVolatile, minReplicas }: { allowsVolatile: boolean; minReplicas: number | undefined },
): void {
  if (replicas < awaitedReplicas) {
    const why = minReplicas === undefined ? ' (the default where there are replicas)' : '';
    throw new UsageError(
      `REDIS_MIN_REPLICAS is ${awaitedReplicas}${why}, and Redis has ${replicas} replicas connected to a master: no claim could ever be confirmed. Bring a replica back.`,
    );
  }
  if (allowsVolatile || (guarantee !== 'none' && !evicts)) return;
  throw new UsageError(
    `Redis does not keep the ledger. ${detail}.\n  Mend it: ${mend}\n  Or, where it does not matter: ALLOW_VOLATILE_REDIS=yes`,
  );
}

export async function mastersOf(redis: RedisConnection): Promise<Redis[]> {
  if (!(redis instanceof Cluster)) return [redis];
  // The first command makes the cluster known.
  await redis.time();
  return redis.nodes('master');
}

async function readServer(redis: Redis): Promise<Server> {
  const config = async (name: string): Promise<string | undefined> => {
    const reply = (await redis.config('GET', name).catch(() => [])) as string[];
    return reply[1];
  };
  const [appendonly, appendfsync, policy] = await Promise.all(
    ['appendonly', 'appendfsync', 'maxmemory-policy'].map(config),
  );
  // With the append-only file off this is an error, with it on an answer; an older server knows no such command.
  const hasWaitAof = await redis.call('WAITAOF', 1, 0, 1).then(
    () => true,
    () => false,
  );
  const replication = await redis.info('replication');
  return {
    guarantee: guaranteeOf(appendonly, appendfsync, hasWaitAof),
    evicts: policy !== undefined && policy !== 'noeviction',
    replicas: Number(/^connected_slaves:(\d+)/m.exec(replication)?.[1] ?? 0),
    hasWaitAof,
    settings:
      appendonly === undefined
        ? ''
        : `appendonly ${appendonly}, appendfsync ${appendfsync}, maxmemory-policy ${policy}: `,
  };
}

function guaranteeOf(
  appendonly: string | undefined,
  appendfsync: string | undefined,
  hasWaitAof: boolean,
): Guarantee {
  if (appendonly === undefined) return hasWaitAof ? 'every-claim' : 'unknown';
  if (appendonly !== 'yes' || appendfsync === 'no') return 'none';
  if (appendfsync === 'always') return 'every-write';
  return hasWaitAof ? 'every-claim' : 'every-second';
}

function safeguardOf(servers: readonly Server[], replicas: number): Safeguard | undefined {
  const hasWaitAof = servers.every((server) => server.hasWaitAof);
  const waitsForDisk = hasWaitAof && servers.some(({ guarantee }) => guarantee === 'every-claim');
  if (!waitsForDisk && replicas === 0) return undefined;
  return { command: hasWaitAof ? 'WAITAOF' : 'WAIT', disk: waitsForDisk ? 1 : 0, replicas };
}
