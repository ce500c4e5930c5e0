/** A run of a million: everyone once, in flat memory, with pages that answer meanwhile. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeRedis, connectRedis, makeLogger, type RedisConnection } from '@sendonce/shared/runtime';
import { type EmbeddedRedis, freePort } from '../scripts/bootstrap/redis.mjs';
import { writeCampaign } from './campaign.js';
import { type Endpoint, start, stop } from './children.js';
import { ours } from './contenders.js';
import { memoryOf, memoryOfKeys } from './redisMemory.js';
import { median, type Target } from './table.js';

const MILLION = 1_000_000;
const SMALL = 10_000;
const PASSWORD = 'bench-password';

export async function benchMillion(
  endpoint: Endpoint,
  embedded: EmbeddedRedis,
  tell: (line: string) => void,
): Promise<Target[]> {
  const small = await ours(endpoint, embedded, { client: 'light', mails: SMALL });
  const redis = connectRedis({ url: embedded.url, name: 'bench', logger: makeLogger('bench', 'silent') });
  const before = await memoryOf(redis);
  const prefix = `million-${Date.now()}`;
  const pages = await Pages.open(embedded.url, prefix);
  const watch = new MemoryWatch(redis);
  const progress = progressTeller(tell);
  const campaignsDir = await writeCampaign(MILLION);
  const large = await ours(endpoint, embedded, {
    client: 'light',
    mails: MILLION,
    prefix,
    campaignsDir,
    onProgress: progress,
    isClosed: true,
  });
  const peak = await watch.stop();
  const times = await pages.close();
  const ledger = await memoryOfKeys(redis, prefix, [':states', ':version']);
  const journal = await memoryOfKeys(redis, prefix, [':archive']);
  await closeRedis(redis);
  tell(
    `a million in ${Math.round(MILLION / large.mailsPerSecond)} s, after ${large.secondsToFirst.toFixed(1)} s of freezing`,
  );
  return [
    { what: 'a million, mails/s', values: [large.mailsPerSecond] },
    { what: 'Redis at the peak, bytes a recipient', values: [(peak - before) / MILLION], atMost: 150 },
    { what: 'ledger afterwards, bytes a recipient', values: [ledger / MILLION], atMost: 4 },
    { what: 'journal afterwards, bytes a recipient', values: [journal / MILLION], atMost: 48 },
    {
      what: 'worker memory, a million / 10,000',
      values: [(large.memory ?? 0) / (small.memory ?? 1)],
      atMost: 1.25,
    },
    {
      what: 'processor time a recipient, a million / 10,000',
      values: [large.cpuMicros / small.cpuMicros],
      atMost: 1.1,
    },
    { what: 'overview meanwhile, ms', values: [median(times)], atMost: 100 },
  ];
}

/** The overview, asked for again and again while a run goes on. */
class Pages {
  readonly #times: number[] = [];
  #isOpen = true;
  readonly #asking: Promise<void>;

  private constructor(
    private readonly url: string,
    private readonly cookie: string,
    private readonly process: ReturnType<typeof start>,
  ) {
    this.#asking = this.#ask();
  }

  static async open(redisUrl: string, prefix: string): Promise<Pages> {
    const [port, publicPort] = await Promise.all([freePort(), freePort()]);
    const url = `http://127.0.0.1:${port}`;
    const child = start('apps/dashboard/dist/main.js', {
      REDIS_URL: redisUrl,
      REDIS_PREFIX: prefix,
      DASHBOARD_PORT: String(port),
      DASHBOARD_PASSWORD: PASSWORD,
      DASHBOARD_HEALTH_PORT: '0',
      PUBLIC_PORT: String(publicPort),
      LOG_LEVEL: 'fatal',
    });
    const exited = once(child, 'exit');
    exited.catch(() => undefined);
    for (;;) {
      const isUp = await fetch(`${url}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) break;
      await sleep(50);
    }
    const body = new URLSearchParams({ user: 'admin', password: PASSWORD });
    const response = await fetch(`${url}/login`, { method: 'POST', body, redirect: 'manual' });
    const cookie = response.headers
      .getSetCookie()
      .map((value) => value.split(';')[0])
      .join('; ');
    return new Pages(url, cookie, child);
  }

  /** @returns how long each took, ms. */
  async close(): Promise<number[]> {
    this.#isOpen = false;
    await this.#asking;
    await stop(this.process);
    return this.#times;
  }

  async #ask(): Promise<void> {
    while (this.#isOpen) {
      const askedAt = performance.now();
      const response = await fetch(this.url, { headers: { cookie: this.cookie } });
      await response.text();
      if (response.status === 200) this.#times.push(performance.now() - askedAt);
      await sleep(1_000);
    }
  }
}

class MemoryWatch {
  #peak = 0;
  #isOpen = true;
  readonly #watching: Promise<void>;

  constructor(private readonly redis: RedisConnection) {
    this.#watching = this.#watch();
  }

  async stop(): Promise<number> {
    this.#isOpen = false;
    await this.#watching;
    return this.#peak;
  }

  async #watch(): Promise<void> {
    while (this.#isOpen) {
      this.#peak = Math.max(this.#peak, await memoryOf(this.redis));
      await sleep(500);
    }
  }
}

function progressTeller(tell: (line: string) => void): (sent: number) => void {
  let told = 0;
  return (sent) => {
    if (sent - told < MILLION / 10) return;
    told = sent;
    tell(`${sent.toLocaleString('en-US')} of ${MILLION.toLocaleString('en-US')}`);
  };
}
