/** The header `Idempotency-Key`, of every request that must not count twice. */
import { z } from 'zod';

/**
 * A text in quotes, as the draft says (a structured field), or bare, as most clients send it: the same key.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export const idempotencyKey = (what: string) =>
  z
    .string(
      `The header is needed: any text that is new for every ${what}, and the same when a request is repeated.`,
    )
    .regex(/^[\x20-\x7e]{1,255}$/, 'Expected 1 to 255 characters of ASCII.')
    .meta({
      description: `New for every ${what}, the same when a request is repeated; at most 255 characters.`,
    });

export function unquoted(key: string): string {
  return /^"(.+)"$/.exec(key)?.[1]?.replace(/\\(["\\])/g, '$1') ?? key;
}
