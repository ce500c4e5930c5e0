/**
 * The runs that messages are collected in. A run belongs to one version of a template and takes in chunks for an hour, or
 * until it has very many; then it is sealed, by whoever needs the next one or by the reconciler, and ends like any other.
 *
 * Which run is the current one of a version stands in one key that is moved by compare-and-set. Two dashboards with different
 * files, in the middle of a deploy, have a run each. Whoever dies in between leaves at most an empty run behind.
 */
import { type CampaignSnapshot, snapshotOf } from '../campaign/index.js';
import type { ChunkRef } from '../ledger/index.js';
import type { LinkPages } from '../links/index.js';
import { parseRunId, type Runs } from '../run/index.js';
import { type Clock, luaScript, type RedisConnection } from '../runtime/index.js';

const currentRunMove = luaScript(import.meta.url, 'currentRunMove');

/** A run takes in messages for so long, ms: short enough to be looked at, long enough that there are few of them. */
export const COLLECT_MS = 3_600_000;
/** And so many chunks: what the reconciler looks through every few seconds. */
const MOST_CHUNKS = 2_000;
/** A run's id has seconds; another version's run, or one that has ended, may be in the one that is now. */
const SECONDS_TRIED = 60;

export interface MessageRunsServices {
  clock: Clock;
  linkPages: Pick<LinkPages, 'publish'>;
  redis: RedisConnection;
  runs: Runs;
}

export class MessageRuns {
  readonly #services: MessageRunsServices;
  readonly #prefix: string;
  /** By template and version; only thrift, since a run that has ended says so. */
  readonly #known = new Map<string, string>();

  constructor(services: MessageRunsServices, { prefix }: { prefix: string }) {
    this.#services = services;
    this.#prefix = prefix;
  }

  /** The number of a chunk in the current run, which nobody else has. */
  async allot(template: CampaignSnapshot): Promise<ChunkRef> {
    for (let tried = 0; tried < SECONDS_TRIED; tried++) {
      const key = this.#key(template);
      const run = this.#known.get(key) ?? (await this.#services.redis.get(key)) ?? '';
      const chunk = this.#isYoung(run) ? await this.#services.runs.allotChunk(run, MOST_CHUNKS) : undefined;
      if (chunk !== undefined) {
        this.#known.set(key, run);
        return { run, chunk };
      }
      this.#known.delete(key);
      await this.#replace(template, key, run);
    }
    throw new Error(`No run of ${template.id} takes in messages.`);
  }

  async #replace(template: CampaignSnapshot, key: string, old: string): Promise<void> {
    const { redis, runs } = this.#services;
    if (old) await runs.seal(old);
    const next = await this.#create(template);
    const standing = await currentRunMove(redis, [key], [old, next.run, COLLECT_MS * 2]);
    // Another dashboard was quicker, and nobody knows of this one.
    if (standing !== next.run && next.created) await runs.seal(next.run);
  }

  /** A run that takes in messages, of this second or of the next one that is free. */
  async #create(template: CampaignSnapshot): Promise<{ run: string; created: boolean }> {
    const { clock, linkPages, runs } = this.#services;
    await linkPages.publish(template);
    for (let second = 0; second < SECONDS_TRIED; second++) {
      const at = new Date(clock.now() + second * 1_000);
      const made = await runs.create(snapshotOf(template), at, 'messages');
      const { hash, origin, frozenAt, cancelledAt } = await runs.get(made.run);
      const isOurs = origin === 'messages' && hash === template.hash;
      if (isOurs && !frozenAt && !cancelledAt) return made;
    }
    throw new Error(`There is a run of ${template.id} in every second of the next minute.`);
  }

  #isYoung(run: string): boolean {
    const startedAt = parseRunId(run)?.scheduledAt.getTime() ?? 0;
    return this.#services.clock.now() - startedAt < COLLECT_MS;
  }

  #key({ id, hash }: CampaignSnapshot): string {
    return `${this.#prefix}:1:{messages/${id}/${hash}}`;
  }
}
