/**
 * How often a password may be guessed: per address, and per name. Counted in Redis, because a guess at the next dashboard is
 * one more guess. An attempt is counted before its password is looked at, so that many at once are no way around, and a
 * right password does not get in while a block lasts: otherwise guessing would only have to go on. When Redis is away,
 * nobody gets in.
 *
 * That strangers can block a name is the price; sessions go on meanwhile, and so does logging in by OIDC.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { RedisConnection } from '@sendonce/shared/runtime';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export interface LoginLimits {
  /** Attempts in the window; the next one blocks. Offices share an address. Default 30. */
  perAddress: number;
  /** Default 10. */
  perName: number;
  /** Of counting and of the block, s. Default 900. */
  windowSeconds: number;
}

const LIMITS: LoginLimits = { perAddress: 30, perName: 10, windowSeconds: 900 };

export class LoginAttempts {
  readonly #byAddress: RateLimiterRedis;
  readonly #byName: RateLimiterRedis;

  constructor(
    { redis, prefix }: { redis: RedisConnection; prefix: string },
    { perAddress, perName, windowSeconds }: LoginLimits = LIMITS,
  ) {
    const limiter = (by: string, points: number) =>
      new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: `${prefix}:1:login-attempts:${by}`,
        points,
        duration: windowSeconds,
        blockDuration: windowSeconds,
      });
    this.#byAddress = limiter('address', perAddress);
    this.#byName = limiter('name', perName);
  }

  /** Counts an attempt. A number: blocked, for so many seconds. */
  async begin(ip: string, name: string): Promise<number | undefined> {
    // In this order: whoever is blocked here must not go on to block the names of others.
    const waitMs =
      (await consume(this.#byAddress, networkOf(ip))) || (await consume(this.#byName, nameKey(name)));
    return waitMs > 0 ? Math.ceil(waitMs / 1_000) : undefined;
  }

  /** The password was right: the name starts anew; the address gets back this attempt only, it may be guessing others. */
  async succeed(ip: string, name: string): Promise<void> {
    await Promise.all([this.#byAddress.reward(networkOf(ip)), this.#byName.delete(nameKey(name))]);
  }
}

/** ms until the next attempt; 0: go on. */
async function consume(limiter: RateLimiterRedis, key: string): Promise<number> {
  try {
    await limiter.consume(key);
    return 0;
  } catch (refused) {
    if (refused instanceof RateLimiterRes) return Math.max(refused.msBeforeNext, 1);
    throw refused;
  }
}

/** One machine of IPv6 has a whole /64 to choose its addresses from. */
export function networkOf(ip: string): string {
  if (!isIPv6(ip) || ip.startsWith('::ffff:')) return ip.replace(/^::ffff:/, '');
  const [head = '', tail] = (ip.split('%')[0] as string).split('::');
  const groups = head.split(':').filter(Boolean);
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter(Boolean).length;
  const all = [...groups, ...Array<string>(missing).fill('0'), ...(tail ?? '').split(':').filter(Boolean)];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** Names may be addresses, and what is typed may be a password in the wrong field: neither belongs into a key. */
function nameKey(name: string): string {
  return createHash('sha256').update(name).digest('base64url');
}
