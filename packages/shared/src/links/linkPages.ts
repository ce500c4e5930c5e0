/**
 * Which campaign's page answers under which prefix. Published by whoever sends, before the first mail goes out, and kept for
 * good: links in old mails have to lead somewhere also when the campaign's folder is long gone. Readers keep a copy in
 * memory, so that links lead on while Redis is away.
 */
import type { CampaignSnapshot, Links } from '../campaign/index.js';
import type { Clock, RedisConnection, Service } from '../runtime/index.js';

export interface LinkPage {
  campaign: string;
  prefix: string;
  /** Origins; visitors are sent to the first unless they come to another one. */
  origins: string[];
  utm: [name: string, value: string][];
}

/** The copy in memory is renewed so often, ms; and by a path that is not in it, which may have been published just now. */
const REFRESH_MS = 10_000;
const REFRESH_AT_A_MISS_MS = 100;

/** The page of a campaign with `links`. */
export function linkPageOf(campaign: string, { prefix, hosts, utm }: Links): LinkPage {
  const parameters = Object.entries(utm).map(([key, value]): [string, string] => [`utm_${key}`, value ?? '']);
  return { campaign, prefix, origins: hosts, utm: parameters };
}

export class LinkPages implements Service {
  readonly name = 'link pages';
  readonly #redis: RedisConnection;
  readonly #clock: Clock;
  readonly #key: string;
  #pages = new Map<string, LinkPage>();
  #readAt = 0;
  #refreshing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

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

  /** Has the copy renewed from now on. Returns when there is one. @throws when Redis is away. */
  async start(): Promise<void> {
    await this.#refresh();
    this.#timer ??= setInterval(() => void this.#refresh().catch(() => undefined), REFRESH_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#refreshing?.catch(() => undefined);
  }

  /** The page of a path; from memory, unless it is not there. */
  async find(path: string): Promise<LinkPage | undefined> {
    const known = this.#pages.get(path);
    if (known) return known;
    const isFresh = this.#clock.now() - this.#readAt < REFRESH_AT_A_MISS_MS;
    if (!isFresh) await this.#refresh().catch(() => undefined);
    return this.#pages.get(path);
  }

  /** All who ask at the same time wait for the same answer. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #read(): Promise<void> {
    const pages = await this.#redis.hvals(this.#key);
    this.#readAt = this.#clock.now();
    this.#pages = new Map(
      pages.map((json) => JSON.parse(json) as LinkPage).map((page) => [page.prefix, page]),
    );
  }
}
