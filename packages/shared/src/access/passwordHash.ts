/**
 * Passwords as they are kept: `scrypt.LOG_N.R.P.SALT.HASH`, salt and hash in base64url. Dots, where PHC strings have `$`:
 * shells and docker compose take `$` for a variable, and `,` and `:` separate people in DASHBOARD_USERS.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const scryptAsync = promisify<string, Buffer, number, object, Buffer>(scrypt);

interface Cost {
  logN: number;
  r: number;
  p: number;
}

/** 32 MB and about 0.2 s a guess. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt */
const COST: Cost = { logN: 15, r: 8, p: 3 };
const HASH_BYTES = 32;
const FORM = /^scrypt\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.([\w-]{16,128})\.([\w-]{32,128})$/;

interface PasswordHash extends Cost {
  salt: Buffer;
  hash: Buffer;
}

/** @param salt random, unless several processes shall come to the same hash. */
export async function hashPassword(password: string, salt: Buffer = randomBytes(16)): Promise<string> {
  const hash = await derive(password, { ...COST, salt, length: HASH_BYTES });
  const { logN, r, p } = COST;
  return ['scrypt', logN, r, p, salt.toString('base64url'), hash.toString('base64url')].join('.');
}

/** @throws when `stored` is no hash of ours: settings are checked before. */
export async function isPassword(password: string, stored: string): Promise<boolean> {
  const known = parse(stored);
  if (!known) throw new Error('That is no hash of a password.');
  return timingSafeEqual(await derive(password, { ...known, length: known.hash.length }), known.hash);
}

export function isPasswordHash(text: string): boolean {
  return parse(text) !== undefined;
}

/** Undefined also for costs that are no protection, and for those that would take the memory of the whole server. */
function parse(text: string): PasswordHash | undefined {
  const [, logN, r, p, salt = '', hash = ''] = FORM.exec(text) ?? [];
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  const memoryBytes = 128 * 2 ** cost.logN * cost.r;
  if (!(cost.logN >= 12 && cost.p >= 1 && memoryBytes >= 2 ** 22 && memoryBytes <= 2 ** 28)) return undefined;
  return { ...cost, salt: Buffer.from(salt, 'base64url'), hash: Buffer.from(hash, 'base64url') };
}

/** The same letters from another keyboard are the same password (NFKC). */
function derive(
  password: string,
  { logN, r, p, salt, length }: Cost & { salt: Buffer; length: number },
): Promise<Buffer> {
  const N = 2 ** logN;
  // Node's own limit is exactly below the cost that OWASP asks for.
  return scryptAsync(password.normalize('NFKC'), salt, length, { N, r, p, maxmem: 256 * N * r });
}
