/**
 * Clicks on a campaign's links, a run, link and hour; people apart from scanners, and how many different people. Nobody is
 * remembered: a visit is five seconds long, then it is a number, and its visitor an unreadable part of a HyperLogLog.
 *
 * All of it is one script a click, one round trip. A click that comes while Redis is away is lost; nothing else depends on it.
 */
import { readFileSync } from 'node:fs';
import { parseRunId } from '../run/index.js';
import { luaScript, type RedisConnection } from '../runtime/index.js';

const prelude = readFileSync(new URL('../../src/links/lua/prelude.lua', import.meta.url), 'utf8');
const clickCount = luaScript(import.meta.url, 'clickCount', prelude);
const clicksJudge = luaScript(import.meta.url, 'clicksJudge', prelude);
const linksRegister = luaScript(import.meta.url, 'linksRegister');

/** Links of a run that are counted by name; a mail in which every recipient has other ones is no reason to keep millions. */
const MAX_LINKS = 1_000;
/** As many as one call judges. */
const JUDGED_AT_ONCE = 500;
const HOUR_MS = 3_600_000;

export interface Click {
  campaign: string;
  /** Path and query, as `followLink` gives it. */
  link: string;
  /** Tells visitors apart, and says nothing else; undefined: known to be no person. */
  visitor: string | undefined;
  /** When the link says it. */
  run?: string | undefined;
}

export interface ClickCounts {
  human: number;
  /** Link scanners, previews, bots. */
  scanner: number;
}

/** `link` undefined: none of those that were sent. `hour` undefined: when counting by the hour had become too much. */
export interface ClickRow extends ClickCounts {
  link: string | undefined;
  hour: Date | undefined;
}

export interface RunClicks extends ClickCounts {
  /** Different people, with an error of 0.81% (HyperLogLog). */
  unique: number;
  /** By link and hour, in the order of time. */
  rows: ClickRow[];
}

export class Clicks {
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #retentionMs: number;

  constructor(
    { redis }: { redis: RedisConnection },
    { prefix, retentionMs }: { prefix: string; retentionMs: number },
  ) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#retentionMs = Math.round(retentionMs);
  }

  /** Says that a run's mails have these links. Before the first of them goes out, or soon after. */
  async register(run: string, links: Iterable<string>): Promise<void> {
    const { campaign, scheduledAt } = partsOf(run);
    const base = this.#base(campaign);
    await linksRegister(
      this.#redis,
      [`${base}:runs`, `${base}:${run}:links`],
      [run, scheduledAt.getTime(), this.#retentionMs, MAX_LINKS, ...links],
    );
  }

  /** False: nothing was sent that could have been clicked. */
  async count({ campaign, link, visitor = '', run = '' }: Click): Promise<boolean> {
    const base = this.#base(campaign);
    const args = [base, link, visitor, run, this.#retentionMs];
    return (await clickCount(this.#redis, [`${base}:runs`], args)) === 1;
  }

  /** What is known of a run's clicks; those of the last five seconds are still missing. */
  async read(run: string): Promise<RunClicks> {
    const base = this.#base(partsOf(run).campaign);
    for (let judged = JUDGED_AT_ONCE; judged === JUDGED_AT_ONCE; )
      judged = Number(await clicksJudge(this.#redis, [`${base}:runs`], [base, this.#retentionMs]));
    const [links, clicks, unique] = await Promise.all([
      this.#redis.hgetall(`${base}:${run}:links`),
      this.#redis.hgetall(`${base}:${run}:clicks`),
      this.#redis.pfcount(`${base}:${run}:visitors`),
    ]);
    const rows = toRows(clicks, new Map(Object.entries(links).map(([link, number]) => [number, link])));
    return { unique, rows, ...sum(rows) };
  }

  #base(campaign: string): string {
    return `${this.#prefix}:1:{links:${campaign}}`;
  }
}

function partsOf(run: string): { campaign: string; scheduledAt: Date } {
  const parts = parseRunId(run);
  if (!parts) throw new Error(`"${run}" is no run's id.`);
  return parts;
}

function toRows(clicks: Record<string, string>, names: ReadonlyMap<string, string>): ClickRow[] {
  const rows = new Map<string, ClickRow>();
  for (const [field, count] of Object.entries(clicks)) {
    const [number = '', hour = '', kind] = field.split(' ');
    const key = `${number} ${hour}`;
    const date = hour === 'later' ? undefined : new Date(Number(hour) * HOUR_MS);
    const row = rows.get(key) ?? { link: names.get(number), hour: date, human: 0, scanner: 0 };
    row[kind === 'human' ? 'human' : 'scanner'] += Number(count);
    rows.set(key, row);
  }
  const time = ({ hour }: ClickRow) => hour?.getTime() ?? Number.POSITIVE_INFINITY;
  return [...rows.values()].sort((a, b) => time(a) - time(b) || (a.link ?? '').localeCompare(b.link ?? ''));
}

/** Adds up rows. */
function sum(rows: readonly ClickCounts[]): ClickCounts {
  return rows.reduce<ClickCounts>(
    (total, { human, scanner }) => ({ human: total.human + human, scanner: total.scanner + scanner }),
    { human: 0, scanner: 0 },
  );
}

/** One row for all hours of a link, or for all links of an hour. */
export function clicksBy(by: 'link' | 'hour', rows: readonly ClickRow[]): ClickRow[] {
  const groups = new Map<string, ClickRow[]>();
  for (const row of rows) {
    const key = String(by === 'link' ? row.link : row.hour?.getTime());
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) => ({
    link: undefined,
    hour: undefined,
    [by]: group[0]?.[by],
    ...sum(group),
  }));
}
