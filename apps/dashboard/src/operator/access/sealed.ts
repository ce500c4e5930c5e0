/** A small value in a cookie: readable by its browser, and nobody's but ours, for a while. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface Seal {
  key: string;
  /** So that a value made for one purpose is none for another. */
  purpose: string;
}

/** @param until ms since the epoch. */
export function seal(value: unknown, until: number, { key, purpose }: Seal): string {
  const body = Buffer.from(JSON.stringify({ value, until })).toString('base64url');
  return `${body}.${signature(body, key, purpose)}`;
}

/** Undefined: it is changed, too old, or not ours. */
export function unseal(sealed: string, now: number, { key, purpose }: Seal): unknown {
  const [body = '', given = ''] = sealed.split('.');
  const expected = Buffer.from(signature(body, key, purpose));
  const bytes = Buffer.from(given);
  if (bytes.length !== expected.length || !timingSafeEqual(bytes, expected)) return undefined;
  const { value, until } = JSON.parse(Buffer.from(body, 'base64url').toString()) as {
    value: unknown;
    until: number;
  };
  return now < until ? value : undefined;
}

function signature(body: string, key: string, purpose: string): string {
  return createHmac('sha256', key).update(`${purpose}.${body}`).digest('base64url');
}
