/**
 * Lua scripts from files, one a file, called by EVALSHA. A script is one atomic step: Redis runs nothing else meanwhile,
 * and all keys of a call are in one slot (Redis Cluster).
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisConnection } from './redis.js';

type ScriptArgument = string | number | Buffer;

/** Runs the script; loads it first where Redis does not know it (a restart forgets scripts). */
export type LuaScript = (redis: RedisConnection, keys: string[], args: ScriptArgument[]) => Promise<unknown>;

/**
 * @param moduleUrl `import.meta.url` of the caller. Sources and compiled files lie equally deep under their package, and
 *   the `.lua` files only in the sources: `src/<domain>/lua/<name>.lua`.
 * @param prelude Lua put in front of the script, for tables that TypeScript shares with it.
 */
export function luaScript(moduleUrl: string, name: string, prelude = ''): LuaScript {
  const [, domain] = /\/(?:src|dist)\/([^/]+)\/[^/]+$/.exec(moduleUrl) ?? [];
  const source = readFileSync(new URL(`../../src/${domain}/lua/${name}.lua`, moduleUrl), 'utf8');
  const body = `${prelude}\n${source}`;
  const sha = createHash('sha1').update(body).digest('hex');
  return async (redis, keys, args) => {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await redis.eval(body, keys.length, ...keys, ...args);
    }
  };
}
