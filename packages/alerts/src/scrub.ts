/**
 * Takes out of alerts what must not leave the machine by mail: secrets and e-mail addresses, wherever they stand. Secrets are
 * known by the name of their field, by their value (those of the environment), and by their look (keys of AWS, credentials
 * in URLs, bearer tokens, private keys), as Django's SafeExceptionReporterFilter knows settings.
 */

const HIDDEN = '********';
const SECRET_NAME =
  /pass(word|phrase|wd)?$|secret|token|api[-_]?key|(access|private|signing|secret)[-_]?key|authorization|cookie|credential|signature|session[-_]?id/i;
/** Shorter values would be found in innocent words. */
const SECRET_LENGTH = 6;

/** An object is told to this depth, with this many fields at each, and this long a text: a mail, not a dump. */
const MAX_DEPTH = 6;
const MAX_FIELDS = 50;
const MAX_TEXT = 4_000;
/** More than is kept, because what is hidden gets shorter; a longer text costs no more than this. */
const MAX_LOOKED_AT = 4 * MAX_TEXT;
/** What an address or a token can't contain. */
const DELIMITER = /[\s<>()[\]{}"'`,;:=/]/;
/** Longer than any address (RFC 5321, 4.5.3.1.3). */
const MAX_WORD = 512;

/** Secrets that came from elsewhere than the environment, as variables of it. */
const further: Record<string, string> = {};

/** For all scrubbers that are made from now on. @param name as of a variable; of a URL only its password is secret. */
export function hideSecret(name: string, value: string): void {
  further[name] = value;
}

export interface Scrubber {
  text(text: string): string;
  /** A copy of anything, as JSON could hold it: bounded, without cycles. */
  value(value: unknown): unknown;
}

/** @param env its values under names like PASSWORD and SECRET, and passwords in its URLs, are hidden wherever they turn up. */
export function makeScrubber(env: NodeJS.ProcessEnv = process.env): Scrubber {
  const secrets = secretValues(env);
  const text = (long: string): string => {
    let scrubbed = long.length > MAX_LOOKED_AT ? long.slice(0, cutOf(long, secrets)) : long;
    for (const secret of secrets) scrubbed = scrubbed.replaceAll(secret, HIDDEN);
    scrubbed = scrubAddresses(scrubLooks(scrubbed));
    return scrubbed.length > MAX_TEXT
      ? `${scrubbed.slice(0, MAX_TEXT)}… (${long.length} characters)`
      : scrubbed;
  };
  return { text, value: (value) => copy(value, text, 0, new Set()) };
}

/** Where a long text is cut: neither within a secret nor within a word, because half of either is not recognised. */
function cutOf(text: string, secrets: readonly string[]): number {
  let end = MAX_LOOKED_AT;
  for (let before = 0; before !== end; ) {
    before = end;
    for (const secret of secrets) {
      const at = text.lastIndexOf(secret, end - 1);
      if (at >= 0 && at + secret.length > end) end = at;
    }
  }
  const least = Math.max(0, end - MAX_WORD);
  for (let at = end; at > least; at--) if (DELIMITER.test(text.charAt(at - 1))) return at;
  return end;
}

/** Takes addresses out of a text of others. */
export function scrubAddresses(text: string): string {
  // Bounded (RFC 5321, 4.5.3.1.3), because a long text without one would be looked through once for each of its characters.
  return text.replace(/[^\s<>()[\]{}"'`,;:=/]{1,254}(?:@|%40)[^\s<>()[\]{}"'`,;:]+/gi, '<address>');
}

function secretValues(env: NodeJS.ProcessEnv): string[] {
  const values = Object.entries({ ...env, ...further }).flatMap(([name, value = '']) => {
    const found = URL.canParse(value) ? asWrittenAndDecoded(new URL(value).password) : [];
    if (SECRET_NAME.test(name)) found.push(value, ...value.split(/[\s,]+/));
    return found;
  });
  const secrets = values.filter((value) => value.length >= SECRET_LENGTH);
  // The longest first: one may be part of another.
  return [...new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]))].sort(
    (a, b) => b.length - a.length,
  );
}

/** The environment is full of others' variables: a password with a bare `%` must not end the process. */
function asWrittenAndDecoded(password: string): string[] {
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

function scrubLooks(text: string): string {
  return (
    text
      .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN)
      // scheme://user:password@host
      .replace(/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@"']+@/gi, `$1${HIDDEN}@`)
      .replace(/\b(AKIA|ASIA)[A-Z0-9]{16}\b/g, HIDDEN)
      .replace(/\b(Bearer|Basic)\s+[\w.~+/-]+=*/gi, `$1 ${HIDDEN}`)
      .replace(/\bAWS4-HMAC-SHA256\s+[^\n]*/g, HIDDEN)
      // JSON Web Tokens
      .replace(/\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g, HIDDEN)
      // name=value, "name": "value", name: value; and in query strings
      .replace(
        /(["']?)([\w-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|authorization|credentials?|signature|cookie)[\w-]{0,40})\1(\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&,;)}\]]+)/gi,
        `$1$2$1$3${HIDDEN}`,
      )
  );
}

function copy(value: unknown, text: Scrubber['text'], depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return text(String(value).slice(0, 100));
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value)) return '(itself)';
  if (depth === MAX_DEPTH) return '(deeper)';
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  const path = new Set(above).add(value);
  const inside = (part: unknown): unknown => copy(part, text, depth + 1, path);
  if (Array.isArray(value) || value instanceof Set) return cut([...value], (part) => inside(part));
  const fields = fieldsOf(value);
  const kept = cut(Object.entries(fields), ([name, part]) => [
    text(name),
    SECRET_NAME.test(name) ? HIDDEN : inside(part),
  ]);
  return Object.fromEntries(kept.map((field) => (Array.isArray(field) ? field : ['…', field])));
}

/** What an error says of itself is not enumerable. */
function fieldsOf(value: object): Record<string, unknown> {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, part]) => [String(key), part]));
  if (!(value instanceof Error)) return readable(value);
  const { name, message, stack, cause } = value;
  return { ...readable(value), name, message, stack, ...(cause !== undefined && { cause }) };
}

/** A getter of somebody else's may throw, and an alert must not fail because of it. */
function readable(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(value).map((name) => {
      try {
        return [name, (value as Record<string, unknown>)[name]];
      } catch {
        return [name, '(unreadable)'];
      }
    }),
  );
}

function cut<T, U>(parts: readonly T[], tell: (part: T) => U): (U | string)[] {
  const told: (U | string)[] = parts.slice(0, MAX_FIELDS).map(tell);
  if (parts.length > MAX_FIELDS) told.push(`and ${parts.length - MAX_FIELDS} more`);
  return told;
}
