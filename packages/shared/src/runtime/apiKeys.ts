/**
 * The keys of the HTTP API. A key is `so_` and 256 random bits; API_KEYS holds its name, what it may do, and its SHA-256,
 * as `shop:read+runs:9f86…`: nothing that needs quoting in a `.env`, and nothing that lets anybody in who reads it.
 *
 * SHA-256 and not scrypt, as for passwords: a slow hash makes up for what people choose. 256 random bits can't be guessed,
 * however fast; and a slow hash at every request would let anybody keep the processor busy.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * `read`: campaigns and runs, without addresses. `runs`: start, pause, resume, cancel. `messages`: single messages, by their
 * keys. `suppressions`: addresses, too.
 */
export const API_SCOPES = ['read', 'runs', 'messages', 'suppressions'] as const;

export type ApiScope = (typeof API_SCOPES)[number];

export interface ApiKey {
  /** Whose it is, in logs and reasons. Several keys may have one: the old and the new one while it is changed. */
  name: string;
  scopes: ApiScope[];
  /** SHA-256 of the key, hex. */
  hash: string;
}

export const API_KEY_NAME = /^[a-z\d][a-z\d_-]{0,39}$/i;

const KEY = /^so_[\w-]{43}$/;
const HASH = /^[\da-f]{64}$/;

/** @returns the key, which is nowhere else, and its entry for API_KEYS. */
export function makeApiKey(name: string, scopes: readonly ApiScope[]): { key: string; entry: string } {
  const key = `so_${randomBytes(32).toString('base64url')}`;
  return { key, entry: `${name}:${scopes.join('+')}:${hash('sha256', key, 'hex')}` };
}

/** Entries separated by spaces or commas. Problems name an entry by its place: it may be the key itself by mistake. */
export function parseApiKeys(text: string): { keys: ApiKey[]; problems: string[] } {
  const keys: ApiKey[] = [];
  const problems: string[] = [];
  for (const [index, entry] of text
    .split(/[\s,]+/)
    .filter(Boolean)
    .entries()) {
    const key = parseEntry(entry);
    if (typeof key === 'string') problems.push(`entry ${index + 1}: ${key}`);
    else keys.push(key);
  }
  return { keys, problems };
}

function parseEntry(entry: string): ApiKey | string {
  const [name = '', scopes = '', digest = '', ...rest] = entry.split(':');
  if (!API_KEY_NAME.test(name) || !HASH.test(digest) || rest.length > 0)
    return 'expected name:scopes:hash, as `sendonce api-key` prints it';
  const list = scopes.split('+');
  if (!list.every(isApiScope)) return `expected scopes of ${API_SCOPES.join(', ')}, joined by +`;
  return { name, scopes: list, hash: digest };
}

export function isApiScope(text: string): text is ApiScope {
  return (API_SCOPES as readonly string[]).includes(text);
}

/** In constant time, whichever key it is: all are compared, by their hashes, which are equally long. */
export function findApiKey(keys: readonly ApiKey[], given: string): ApiKey | undefined {
  if (!KEY.test(given)) return undefined;
  const digest = hash('sha256', given, 'buffer');
  let found: ApiKey | undefined;
  for (const key of keys) if (timingSafeEqual(digest, Buffer.from(key.hash, 'hex'))) found = key;
  return found;
}
