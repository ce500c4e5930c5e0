/**
 * What this Redis keeps when it crashes. The ledger is as durable as the server that holds it: a claim that is lost after
 * SES took the mail is a mail that goes out twice.
 */
import { type RedisConnection, UsageError } from '../runtime/index.js';

type Guarantee =
  /** A write is on disk before its reply. */
  | 'every-write'
  /** A crash of the machine can lose a second of writes. */
  | 'every-second'
  /** A crash can lose everything. */
  | 'none'
  /** The server does not tell (managed services often forbid CONFIG). */
  | 'unknown';

export interface Durability {
  guarantee: Guarantee;
  /** Under memory pressure the server throws keys away. */
  evicts: boolean;
  /** In plain words: what is set, and what can be lost. */
  detail: string;
  /** What mends it; undefined when nothing needs mending. */
  mend?: string;
}

const LOSSES: Record<Guarantee, string> = {
  'every-write': 'a claim is on disk before SES hears of it',
  'every-second':
    'when the machine crashes, claims of the last second are lost, and their mails go out twice',
  none: 'when Redis crashes, the ledger is lost, and whoever was served gets the mail again',
  unknown: 'this server does not tell its settings; see what its operator promises',
};

export async function readDurability(redis: RedisConnection): Promise<Durability> {
  const config = async (name: string): Promise<string | undefined> => {
    const reply = (await redis.config('GET', name).catch(() => [])) as string[];
    return reply[1];
  };
  const [appendonly, appendfsync, policy] = await Promise.all(
    ['appendonly', 'appendfsync', 'maxmemory-policy'].map(config),
  );
  const guarantee = guaranteeOf(appendonly, appendfsync);
  const evicts = policy !== undefined && policy !== 'noeviction';
  const set =
    appendonly === undefined
      ? ''
      : `appendonly ${appendonly}, appendfsync ${appendfsync}, maxmemory-policy ${policy}: `;
  const mends = [
    ...(guarantee === 'none' || guarantee === 'every-second'
      ? ['CONFIG SET appendonly yes', 'CONFIG SET appendfsync always']
      : []),
    ...(evicts ? ['CONFIG SET maxmemory-policy noeviction'] : []),
  ];
  return {
    guarantee,
    evicts,
    detail: `${set}${LOSSES[guarantee]}${evicts ? '; and it may throw the ledger away when memory gets short' : ''}`,
    ...(mends.length > 0 && {
      mend: [...mends, 'CONFIG REWRITE'].map((command) => `redis-cli ${command}`).join('; '),
    }),
  };
}

/** @throws {UsageError} when the ledger would not survive, unless whoever runs this says that this is all right. */
export function assertDurable(
  { guarantee, evicts, detail, mend }: Durability,
  { allowsVolatile }: { allowsVolatile: boolean },
): void {
  if (allowsVolatile || (guarantee !== 'none' && !evicts)) return;
  throw new UsageError(
    `Redis does not keep the ledger. ${detail}.\n  Mend it: ${mend}\n  Or, where it does not matter: ALLOW_VOLATILE_REDIS=yes`,
  );
}

function guaranteeOf(appendonly: string | undefined, appendfsync: string | undefined): Guarantee {
  if (appendonly === undefined) return 'unknown';
  if (appendonly !== 'yes' || appendfsync === 'no') return 'none';
  return appendfsync === 'always' ? 'every-write' : 'every-second';
}
