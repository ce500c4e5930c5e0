/** The account's stream of recipients on a real Redis, whose clock it goes by. */
import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock as clock } from '../runtime/index.js';
import { openTestRedis, type TestRedis, waitFor } from '../testing/index.js';
import { type RateKind, SendRate } from './rate.js';

const RATE = 200;
const BATCH = RATE / 2;
const INTERVAL_MS = 1_000 / (RATE * 0.987);
/** Reserved ahead for campaigns, and one micro-batch more, ms. */
const LONGEST_WAIT_MS = 500 + BATCH * INTERVAL_MS;

let server: TestRedis;
let count = 0;
beforeAll(async () => {
  server = await openTestRedis();
});
afterAll(() => server.close());

function openRate(): SendRate {
  const account = { state: async () => undefined } as never;
  const config = { prefix: `${server.prefix}-${count++}`, maxRatePerSecond: RATE };
  return new SendRate({ redis: server.redis, account, clock }, config);
}

/** Workers that take as many places as they get, each one batch after the other, until they are told to stop. */
function takeAll(rate: SendRate, kind: RateKind, workers: number) {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const taken = { places: 0 };
  const work = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const { places } = await rate.reserve(BATCH, kind, stop.signal);
      taken.places += places;
    }
  };
  const working = Promise.all(Array.from({ length: workers }, work));
  const end = async (): Promise<number> => {
    stop.abort();
    await working;
    return taken.places;
  };
  return { taken, end };
}

const NEVER = new AbortController().signal;

describe('the rate', () => {
  it('is reserved for campaigns only as far as a message may wait, however many workers there are', async () => {
    const rate = openRate();
    const campaign = takeAll(rate, 'campaign', 20);
    await waitFor('all that is reserved ahead', () => campaign.taken.places > BATCH);
    const { places, startsAt } = await rate.reserve(1, 'message', NEVER);
    const waitMs = startsAt - clock.now();
    expect(places).toBe(1);
    expect(waitMs).toBeLessThan(LONGEST_WAIT_MS + 50);
    await campaign.end();
  });

  it('is shared when both want all of it: neither keeps the other from going on', async () => {
    const rate = openRate();
    const [campaign, messages] = [takeAll(rate, 'campaign', 4), takeAll(rate, 'message', 4)];
    await waitFor('several batches of both', () =>
      [campaign, messages].every(({ taken }) => taken.places >= 3 * BATCH),
    );
    await Promise.all([campaign.end(), messages.end()]);
  });

  it('belongs to messages alone when nobody else wants it', async () => {
    // By their share alone they would fall behind by a third. A process that stands still makes a gap, too: then once more.
    await waitFor('a stream without gaps', async () => {
      const rate = openRate();
      const { startsAt: first } = await rate.reserve(BATCH, 'message', NEVER);
      let last = first;
      for (let batch = 1; batch < 5; batch++)
        ({ startsAt: last } = await rate.reserve(BATCH, 'message', NEVER));
      return last - first < 4 * BATCH * INTERVAL_MS + 200;
    });
  });

  it('is waited for no longer than a process lives', async () => {
    const rate = openRate();
    const stop = new AbortController();
    for (let batch = 0; batch < 2; batch++) await rate.reserve(BATCH, 'campaign', NEVER);
    const waiting = rate.reserve(BATCH, 'campaign', stop.signal);
    stop.abort();
    expect((await waiting).places).toBe(0);
  });
});
