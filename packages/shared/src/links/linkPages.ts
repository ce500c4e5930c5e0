/**
 * Which campaign's page answers under which prefix. Published by whoever sends, before the first mail goes out, and kept for
 * good: links in old mails have to lead somewhere also when the campaign's folder is long gone. Readers keep a copy in
 * memory, so that links lead on while Redis is away.
 */
import type { CampaignSnapshot, Links } from '../campaign/index.js';
import type { Clock, RedisConnection } from '../runtime/index.js';

export interface LinkPage {
  campaign: string;
  prefix: string;
  /** Origins; visitors are sent to the first unless they come to another one. */
  origins: string[];
  utm: [name: string, value: string][];
}

/** A copy may get so old, and an unknown prefix makes nobody ask more often, ms. */
const REFRESH_MS = 10_000;
const REFRESH_AT_A_MISS_MS = 1_000;

/** The page of a campaign with `links`. */
export function linkPageOf(campaign: string, { prefix, hosts, utm }: Links): LinkPage {
  const parameters = Object.entries(utm).map(([key, value]): [string, string] => [`utm_${key}`, value ?? '']);
  return { campaign, prefix, origins: hosts, utm: parameters };
}

export class LinkPages {
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #key: string;
  #pages = new Map<string, LinkPage>();
  #readAt = 0;

  constructor({ redis, prefix, clock }: { redis: RedisConnection; prefix: string; clock: Clock }) {
    this.#redis = redis;
    this.#clock = clock;
    this.#key = `${prefix}:1:link-pages`;
  }

  /** Nothing for a campaign without `links`. The newest definition of a prefix is the one that holds. */
  async publish({ id, definition }: Pick<CampaignSnapshot, 'id' | 'definition'>): Promise<void> {
    if (!definition.links) return;
    const page = linkPageOf(id, definition.links);
    await this.#redis.hset(this.#key, page.prefix, JSON.stringify(page));
  }

  /** @throws when Redis is away. */
  async refresh(): Promise<void> {
    this.#readAt = this.#clock.now();
    const pages = await this.#redis.hvals(this.#key);
    this.#pages = new Map(
      pages.map((json) => JSON.parse(json) as LinkPage).map((page) => [page.prefix, page]),
    );
  }

  /** The page of a path, from the copy in memory; a path that is not in it may have been published just now. */
  async find(path: string): Promise<LinkPage | undefined> {
    const ageMs = this.#clock.now() - this.#readAt;
    const known = this.#pages.get(path);
    const isStale = ageMs > (known ? REFRESH_MS : REFRESH_AT_A_MISS_MS);
    if (!isStale) return known;
    const refreshed = this.refresh().catch(() => undefined);
    if (known) return known;
    await refreshed;
    return this.#pages.get(path);
  }
}
