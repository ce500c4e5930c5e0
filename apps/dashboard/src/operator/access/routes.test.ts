/** Every route of the operators' app, those of Bull Board included, against whoever may not change anything. */
import { addDueJob, ensureSendJobs } from '@sendonce/shared/queue';
import { findKeys, makeSnapshot } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AppRoute, routesOf } from '../../testing/routes.js';
import { Browser, type Dashboard, loggedIn, openDashboard } from '../../testing/setup.js';
import { bullBoard } from '../bullBoard.js';

/** Before the login: what it is there for. */
const OPEN = [
  'GET /healthz',
  'GET /login',
  'POST /login',
  'GET /login/oidc',
  'GET /login/oidc/callback',
  // What the login's page is made of.
  ...['dashboard.js', 'icon.svg', 'style.css', 'uPlot.css', 'uPlot.js'].map((name) => `GET /assets/${name}`),
];
/** What viewers do beside reading. */
const VIEWERS_OWN = ['POST /logout'];

const OIDC = {
  issuer: 'http://127.0.0.1:1',
  clientId: 'sendonce',
  clientSecret: 'secret',
  groupsClaim: 'groups',
  operators: ['group:a'],
  viewers: [],
};

let dashboard: Dashboard;
let run: string;
let routes: AppRoute[];
beforeAll(async () => {
  dashboard = await openDashboard({ oidc: OIDC });
  const { app, queues, runs } = dashboard;
  ({ run } = await runs.create(await makeSnapshot(3), new Date(), 'manual'));
  await ensureSendJobs(queues.sends, { run, chunks: 1 }, [0]);
  await addDueJob(queues.runs, 'news', new Date(), 0);
  await queues.runs.upsertJobScheduler(
    'news',
    { pattern: '0 0 1 1 *' },
    { name: 'due', data: { campaign: 'news' } },
  );
  routes = [...routesOf(app), ...routesOf(bullBoard(queues, '/queues', { readOnlyMode: false }), '/queues')];
});
afterAll(() => dashboard.close());

const nameOf = ({ method, path }: AppRoute): string => `${method} ${path}`;
const changing = (): AppRoute[] =>
  routes.filter((route) => route.method !== 'GET' && ![...OPEN, ...VIEWERS_OWN].includes(nameOf(route)));

/** With ids of things that are there, so that a route that is let through does something. */
function fill(path: string): string {
  const values: Record<string, string> = {
    run,
    queueName: path.includes(':schedulerId') ? 'runs' : 'sends',
    jobId: `${run}/0`,
    schedulerId: 'news',
    queueStatus: path.includes('/clean/') ? 'prioritized' : 'failed',
  };
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(values[name] ?? 'x'));
}

/** All that Redis holds for this installation. */
async function everything(): Promise<Record<string, string | undefined>> {
  const { redis, prefix } = dashboard;
  const keys = (await Promise.all([findKeys(redis, `${prefix}:*`), findKeys(redis, `{${prefix}}*`)]))
    .flat()
    .sort();
  const dumps = await Promise.all(
    keys.map(async (key) => [key, (await redis.dumpBuffer(key))?.toString('base64')]),
  );
  return Object.fromEntries(dumps.filter(([key]) => !key?.endsWith(':audit')));
}

const BODY = JSON.stringify({
  verdict: 'sent',
  name: 'send',
  data: {},
  priority: 1,
  delay: 1,
  concurrency: 1,
});

function ask(
  browser: Browser,
  { method, path }: AppRoute,
  headers: Record<string, string>,
): Promise<Response> {
  const all = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', ...headers };
  return browser.fetch(fill(path), { method, headers: all, ...(method !== 'GET' && { body: BODY }) });
}

describe('the routes of the dashboard', () => {
  it('are all seen here, those of Bull Board as well', () => {
    expect(routes.map(nameOf)).toEqual(
      expect.arrayContaining([...OPEN, ...VIEWERS_OWN, 'POST /runs/:run/in-doubt']),
    );
    expect(changing().length).toBeGreaterThan(20);
  });

  it('answer nothing without a login, but those that are for it', async () => {
    const before = await everything();
    for (const route of routes.filter((other) => !OPEN.includes(nameOf(other)))) {
      const { status } = await ask(new Browser(dashboard.url), route, {});
      expect(status, nameOf(route)).toBe(route.method === 'GET' ? 303 : 401);
    }
    expect(await everything()).toEqual(before);
  });

  it('let a viewer change nothing', async () => {
    const viewer = await loggedIn(dashboard.url, 'vera');
    const token = { 'x-csrf-token': await viewer.csrf() };
    const before = await everything();
    for (const route of changing()) expect((await ask(viewer, route, token)).status, nameOf(route)).toBe(403);
    expect(await everything()).toEqual(before);
  });

  it('let a viewer look at all pages, at Bull Board without its buttons', async () => {
    const viewer = await loggedIn(dashboard.url, 'vera');
    for (const path of ['/', '/audit', `/runs/${run}/in-doubt`, '/queues/'])
      expect((await viewer.fetch(path)).status, path).toBe(200);
    const seenBy = async (browser: Browser) =>
      (await (await browser.fetch('/queues/api/queues')).json()) as { queues: { readOnlyMode: boolean }[] };
    expect((await seenBy(viewer)).queues.map(({ readOnlyMode }) => readOnlyMode)).toEqual([true, true, true]);
    const operator = await loggedIn(dashboard.url, 'olga');
    expect((await seenBy(operator)).queues.map(({ readOnlyMode }) => readOnlyMode)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it('take no change of an operator without a token and without proof of coming from our pages', async () => {
    const operator = await loggedIn(dashboard.url, 'olga');
    const before = await everything();
    for (const route of changing()) {
      const headers = { 'content-type': 'application/json' };
      const init = { method: route.method, headers, body: BODY };
      expect((await operator.fetch(fill(route.path), init)).status, nameOf(route)).toBe(403);
      const token = { 'x-csrf-token': await operator.csrf() };
      for (const site of ['cross-site', 'same-site', 'none'])
        expect((await ask(operator, route, { ...token, 'sec-fetch-site': site })).status, nameOf(route)).toBe(
          403,
        );
    }
    expect(await everything()).toEqual(before);
  });

  it('let an operator through everywhere', async () => {
    const operator = await loggedIn(dashboard.url, 'olga');
    const token = { 'x-csrf-token': await operator.csrf() };
    const before = await everything();
    for (const route of changing())
      expect([401, 403], nameOf(route)).not.toContain((await ask(operator, route, token)).status);
    expect(await everything()).not.toEqual(before);
  });
});
