/**
 * The audit trail: who did what to what, when, why, and with which outcome. A stream in Redis that is only ever added to;
 * it ends where it is too long or too old. An entry is written after the deed and before its answer, so that whoever was
 * told that something is done finds it here.
 */
import { z } from 'zod';
import { maskAddress } from '../audience/index.js';
import type { Clock, RedisConnection } from '../runtime/index.js';
import type { AuditDeed, AuditEntry } from './auditEntry.js';

/** More than a year of a busy team. An entry takes about 200 bytes. */
const ENTRIES_KEPT = 100_000;
const RETENTION_MS = 400 * 86_400_000;
const TEXT_LIMIT = 500;
/** Anything of this form that is free text; too much is masked rather than too little. */
const ADDRESS_LIKE = /[^\s<>()"',;:/=]+@[^\s<>()"',;:/=]+\.[^\s<>()"',;:/=]+/g;

const Stored = z.object({
  at: z.coerce.number(),
  who: z.string(),
  via: z.string(),
  action: z.string(),
  outcome: z.string(),
  subject: z.string().optional(),
  detail: z.string().optional(),
});

export interface AuditPage {
  /** The id of an entry: only older ones. Default: from the newest. */
  before?: string;
  limit: number;
}

export class AuditTrail {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #key: string;

  constructor({ redis, prefix, clock }: { redis: RedisConnection; prefix: string; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#key = `${prefix}:1:audit`;
  }

  async record({ who, via, action, subject, outcome, detail }: AuditDeed): Promise<void> {
    const at = this.#clock.now();
    const fields = Object.entries({ at, who: who.slice(0, TEXT_LIMIT), via, action, outcome }).flat();
    if (subject) fields.push('subject', withoutAddresses(subject));
    if (detail) fields.push('detail', withoutAddresses(detail));
    await this.#redis.xadd(this.#key, 'MAXLEN', '~', ENTRIES_KEPT, '*', ...fields);
    // Redis knows one bound a call. Both are rough (~): it cuts whole nodes, which costs it nothing.
    await this.#redis.xtrim(this.#key, 'MINID', '~', at - RETENTION_MS);
  }

  /** Newest first. */
  async list({ before, limit }: AuditPage): Promise<AuditEntry[]> {
    const from = before === undefined ? '+' : `(${before}`;
    const oldest = this.#clock.now() - RETENTION_MS;
    const rows = await this.#redis.xrevrange(this.#key, from, String(oldest), 'COUNT', limit);
    return rows.map(([id, fields]) => toEntry(id, fields));
  }
}

/** Whether a text may be asked for as `before`. */
export function isAuditId(text: string): boolean {
  return /^[1-9]\d{0,14}-\d{1,10}$/.test(text);
}

function toEntry(id: string, fields: string[]): AuditEntry {
  const pairs = Array.from({ length: fields.length / 2 }, (_, index) =>
    fields.slice(index * 2, index * 2 + 2),
  );
  const { at, subject, detail, ...rest } = Stored.parse(Object.fromEntries(pairs));
  return { id, at: new Date(at), ...rest, ...(subject && { subject }), ...(detail && { detail }) };
}

function withoutAddresses(text: string): string {
  return text.slice(0, TEXT_LIMIT).replace(ADDRESS_LIKE, maskAddress);
}
