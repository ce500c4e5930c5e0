/** The pages of an installation that has grown: what they ask Redis for does not grow with it. */
import { connect } from 'node:net';
import { makeSnapshot, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Browser, type Dashboard, loggedIn, openDashboard } from '../testing/setup.js';

const CAMPAIGNS = 100;
const RUNS = 10_000;
/** Of the run that is going on. */
const CHUNKS = 2_000;
const HOUR_MS = 3_600_000;

let dashboard: Dashboard;
let operator: Browser;
let going: string;
beforeAll(async () => {
  dashboard = await openDashboard();
  const { clock, queues, redis, runs } = dashboard;
  const snapshot = await makeSnapshot(1);
  const ended = Array.from({ length: RUNS }, (_, n) => ({
    id: `campaign${n % CAMPAIGNS}`,
    at: new Date(clock.now() - (Math.floor(n / CAMPAIGNS) + 1) * 24 * HOUR_MS - n),
  }));
  for (let first = 0; first < ended.length; first += 500)
    await Promise.all(
      ended.slice(first, first + 500).map(async ({ id, at }) => {
        const { run } = await runs.create({ ...snapshot, id }, at, 'schedule');
        await runs.frozen(run, { chunks: 0, audience: 0, duplicates: 0, invalid: 0, invalidRows: [] });
        await redis.srem(`${dashboard.prefix}:1:runs:open`, run);
      }),
    );
  ({ run: going } = await runs.create(snapshot, new Date(clock.now()), 'manual'));
  const none = { queued: 0, claimed: 0, sent: 0, rejected: 0, in_doubt: 0, suppressed: 0, cancelled: 0 };
  for (let chunk = 0; chunk < CHUNKS; chunk++)
    await runs.tally(going, chunk, { ...none, queued: 200, sent: 300, version: 1 });
  await runs.frozen(going, {
    chunks: CHUNKS,
    audience: 1_000_000,
    duplicates: 0,
    invalid: 0,
    invalidRows: [],
  });
  for (let n = 0; n < CAMPAIGNS; n++)
    await queues.runs.upsertJobScheduler(
      `campaign${n}`,
      { pattern: '0 10 * * *', tz: 'Europe/Berlin' },
      { name: 'due', data: { campaign: `campaign${n}` } },
    );
  operator = await loggedIn(dashboard.url, 'olga');
});
afterAll(() => dashboard.close());

/** Every command for this installation that Redis gets, on all nodes of a cluster, while `work` goes on. */
async function commandsOf(work: () => Promise<unknown>): Promise<string[][]> {
  const monitors = await Promise.all((process.env.REDIS_URL ?? '').split(',').map(startMonitor));
  await work();
  const end = `end ${dashboard.prefix}`;
  await dashboard.redis.echo(end);
  await waitFor('the last of them', () => monitors.some(({ seen }) => seen().includes(end)));
  const lines = monitors.flatMap(({ seen, stop }) => {
    stop();
    return seen().split('\r\n');
  });
  return lines
    .filter((line) => line.includes(dashboard.prefix) && !line.includes(end))
    .map((line) => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, argument = '']) => argument));
}

/** By a socket: ioredis fails when lines come in one piece with the answer to MONITOR, and others are busy on this Redis. */
async function startMonitor(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname).setEncoding('latin1');
  let text = '';
  socket.on('data', (piece) => {
    text += piece;
  });
  socket.write('MONITOR\r\n');
  await waitFor('MONITOR', () => text.startsWith('+OK'));
  return { seen: () => text, stop: () => socket.destroy() };
}

it.each([
  ['/', 400],
  ['/runs', 120],
  ['/runs/GOING', 60],
])('%s takes no scan, looks at no recipient, and asks a bounded number of things', async (path, most) => {
  const url = path.replace('GOING', going);
  // The first view of all fills what is looked at seldom.
  await operator.fetch(url);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const took: number[] = [];
  const commands = await commandsOf(async () => {
    const startedAt = performance.now();
    const response = await operator.fetch(url);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain(path === '/runs' ? 'Older runs' : '600,000');
    took.push(performance.now() - startedAt);
  });
  if (process.env.PAGE_TIMES)
    process.stderr.write(`${path}: ${took[0]?.toFixed(0)} ms, ${commands.length} commands\n`);
  const names = commands.map(([name = '']) => name.toLowerCase());
  expect(names.filter((name) => /^(keys|scan|sscan|hscan|zscan)$/.test(name))).toEqual([]);
  // A chunk's keys: `{RUN/CHUNK}:…`.
  expect(commands.flat().filter((arg) => /\{[^}]*\/\d+\}:/.test(arg))).toEqual([]);
  expect(commands.length).toBeGreaterThan(5);
  expect(commands.length).toBeLessThan(most);
});

it('the overview says of a run that is sending when it will be done', async () => {
  dashboard.clock.advance(15_000);
  // 600,000 in 15 s, and 400,000 to go.
  await waitFor('another look', async () =>
    (await (await operator.fetch('/')).text()).includes('40000 mails a second, done in 10 s'),
  );
});
