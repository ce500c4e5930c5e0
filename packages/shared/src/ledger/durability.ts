/**
 * What this Redis keeps when it crashes, and what is done about it. The ledger is as durable as the server that holds it: a
 * claim that is lost after SES took the mail is a mail that goes out twice.
 */
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
  /** `REDIS_MIN_REPLICAS`: so many replicas as well. */
  replicas: number;
}

export interface Durability {
  guarantee: Guarantee;
  /** Under memory pressure the server throws keys away. */
  evicts: boolean;
  /** Replicas that are connected to the master that has the fewest. */
  replicas: number;
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

interface Server {
  guarantee: Guarantee;
  evicts: boolean;
  replicas: number;
  hasWaitAof: boolean;
  settings: string;
}

/** @param minReplicas `REDIS_MIN_REPLICAS`: how many replicas have to have a claim. */
export async function readDurability(redis: RedisConnection, minReplicas = 0): Promise<Durability> {
  const servers = await Promise.all((await mastersOf(redis)).map(readServer));
  const [weakest] = servers.sort(
    (a, b) => WEAKEST_FIRST.indexOf(a.guarantee) - WEAKEST_FIRST.indexOf(b.guarantee),
  );
  if (!weakest) throw new Error('The Redis Cluster has no master.');
  const { guarantee } = weakest;
  const evicts = servers.some((server) => server.evicts);
  const replicas = Math.min(...servers.map((server) => server.replicas));
  const safeguard = safeguardOf(servers, minReplicas);
  const details = [
    `${weakest.settings}${LOSSES[guarantee]}`,
    ...(evicts ? ['and it may throw the ledger away when memory gets short'] : []),
    ...(minReplicas > 0 ? [`and ${minReplicas} of ${replicas} replicas confirm it`] : []),
    ...(replicas > 0 && minReplicas === 0
      ? [
          'a failover can lose what its replica had not got yet: REDIS_MIN_REPLICAS makes claims wait for replicas',
        ]
      : []),
  ];
  const mends = [
    ...(guarantee === 'none' ? ['CONFIG SET appendonly yes'] : []),
    ...(guarantee === 'none' || guarantee === 'every-second' ? ['CONFIG SET appendfsync always'] : []),
    ...(evicts ? ['CONFIG SET maxmemory-policy noeviction'] : []),
  ];
  return {
    guarantee,
    evicts,
    replicas,
    ...(safeguard && { safeguard }),
    detail: details.join('; '),
    ...(mends.length > 0 && {
      mend: [...mends, 'CONFIG REWRITE'].map((command) => `redis-cli ${command}`).join('; '),
    }),
  };
}

/**
 * @throws {UsageError} when the ledger would not survive, unless whoever runs this says that this is all right; and when
 *   there are fewer replicas than have to confirm.
 */
export function assertDurable(
  { guarantee, evicts, detail, mend, replicas }: Durability,
  { allowsVolatile, minReplicas }: { allowsVolatile: boolean; minReplicas: number },
): void {
  if (replicas < minReplicas)
    throw new UsageError(
      `REDIS_MIN_REPLICAS is ${minReplicas}, and Redis has ${replicas} replicas connected: no claim could ever be confirmed.`,
    );
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
