/**
 * The secret that the public's links are made with: LINK_SECRET, or one that is made once and lies in Redis, so that all
 * processes have the same and nothing has to be set up to try things out. Whoever loses it breaks the links in all mails
 * that are out; so a lost Redis should not be the end of it, and real sending should set LINK_SECRET.
 */
import { randomBytes } from 'node:crypto';
import type { RedisConnection, Settings } from '../runtime/index.js';

/**
 * The first one makes links; links of all of them are read. The one in Redis is among them for good, because mails went out
 * with it before LINK_SECRET was set.
 */
export async function readLinkSecrets(
  { redis, prefix }: { redis: RedisConnection; prefix: string },
  { linkSecret, previousLinkSecret }: Pick<Settings['public'], 'linkSecret' | 'previousLinkSecret'>,
): Promise<string[]> {
  const key = `${prefix}:1:link-secret`;
  if (!linkSecret) await redis.set(key, randomBytes(32).toString('base64url'), 'NX');
  const stored = await redis.get(key);
  const secrets = [linkSecret, previousLinkSecret, stored].filter((secret) => typeof secret === 'string');
  if (secrets.length === 0) throw new Error(`Redis did not keep the secret of the links, ${key}.`);
  return secrets;
}
