/** What every process that works on the ledger needs to be ready: a Redis that keeps what it is told, and clocks that agree. */
import type { Continuity } from '../continuity/index.js';
import { assertDurable, readDurability } from '../ledger/index.js';
import type { Clock, Health, RedisConnection, Settings } from '../runtime/index.js';
import { assertClocksAgree, readClockSkew, type SesClient } from '../ses/index.js';

/** Settings of a server seldom change, but a failover to another one changes all of them; ms. */
const DURABILITY_EVERY_MS = 30_000;
/** SES takes about one GetAccount a second, from all processes together; ms. */
const CLOCKS_EVERY_MS = 5 * 60_000;

/** Redis answers, now. */
export function checkRedis(redis: RedisConnection): () => Promise<string> {
  return async () => {
    // A command would wait until Redis is back, and every probe would add one.
    if (redis.status !== 'ready') throw new Error(`the connection is ${redis.status}`);
    const since = performance.now();
    await redis.ping();
    return `answers in ${Math.ceil(performance.now() - since)} ms`;
  };
}

/** The data are those that were there before. */
export function addContinuityCheck(health: Health, continuity: Continuity): void {
  health.add('continuity', () => {
    if (continuity.hold) throw new Error(`everything is held: ${continuity.hold.reason}`);
    return 'the data are those that were there before';
  });
}

export function addLedgerChecks(
  health: Health,
  { clock, redis, ses }: { clock: Clock; redis: RedisConnection; ses: SesClient },
  { redis: settings }: Pick<Settings, 'redis'>,
): void {
  health.add('redis', checkRedis(redis));
  // Claims go on as they began: replicas that come later are waited for after the next start.
  let { minReplicas } = settings;
  const checkDurability = async (): Promise<string> => {
    if (redis.status !== 'ready') throw new Error(`the connection is ${redis.status}`);
    const durability = await readDurability(redis, minReplicas);
    minReplicas ??= durability.awaitedReplicas;
    assertDurable(durability, settings);
    return durability.detail;
  };
  health.add('durability', checkDurability, DURABILITY_EVERY_MS);
  const checkClocks = async (): Promise<string> => {
    if (redis.status !== 'ready') throw new Error(`the connection is ${redis.status}`);
    const skew = await readClockSkew({ redis, ses, clock });
    assertClocksAgree(skew);
    // A SES that can't be asked is not this process's fault, and every worker has the same: taking it away mends nothing.
    return skew.reason ? `SES can't be asked: ${skew.reason}` : `SES by ${Math.round(skew.sesMs ?? 0)} ms`;
  };
  health.add('clocks', checkClocks, CLOCKS_EVERY_MS);
}
