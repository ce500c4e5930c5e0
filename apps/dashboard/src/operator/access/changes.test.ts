import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Browser, type Dashboard, loggedIn, openDashboard } from '../../testing/setup.js';

const PAUSE = '/queues/api/queues/sends/pause';
let dashboard: Dashboard;
let operator: Browser;
beforeAll(async () => {
  dashboard = await openDashboard();
  operator = await loggedIn(dashboard.url, 'olga');
});
afterAll(() => dashboard.close());

/** Whether Bull Board's queue was paused by a request with these headers. */
async function pauses(headers: Record<string, string>): Promise<boolean> {
  const { sends } = dashboard.queues;
  await sends.resume();
  const { status } = await operator.fetch(PAUSE, { method: 'PUT', headers });
  const isPaused = await sends.isPaused();
  expect(status).toBe(isPaused ? 200 : 403);
  return isPaused;
}

describe("a change by Bull Board's pages, which know no token", () => {
  it('is taken from a browser that says it is the same origin', async () => {
    expect(await pauses({ 'sec-fetch-site': 'same-origin' })).toBe(true);
  });

  it('is taken by the origin where browsers say no more than that: over plain http', async () => {
    expect(await pauses({ origin: dashboard.url })).toBe(true);
    expect(await pauses({ origin: dashboard.url, 'sec-fetch-site': 'cross-site' })).toBe(false);
    const port = new URL(dashboard.url).port;
    for (const origin of [
      'null',
      'http://evil.example',
      `http://127.0.0.1:1${port}`,
      `http://evil.example:${port}`,
    ])
      expect(await pauses({ origin })).toBe(false);
  });

  it('is taken from a script that has the token, and from none that has only the cookie', async () => {
    expect(await pauses({ 'x-csrf-token': await operator.csrf() })).toBe(true);
    expect(await pauses({})).toBe(false);
  });
});

describe('the token', () => {
  it('belongs to one session', async () => {
    const another = await loggedIn(dashboard.url, 'olga');
    const theirs = await another.csrf();
    expect(theirs).not.toBe(await operator.csrf());
    expect(await pauses({ 'x-csrf-token': theirs })).toBe(false);
    expect(await pauses({ 'x-csrf-token': '' })).toBe(false);
  });

  it('is needed by our own forms whatever the browser says, and is not taken from an address', async () => {
    const form = { verdict: 'sent' };
    const csrf = await operator.csrf();
    expect((await operator.post('/runs/none/in-doubt', form)).status).toBe(403);
    expect((await operator.post(`/runs/none/in-doubt?csrf=${csrf}`, form)).status).toBe(403);
    expect((await operator.post('/runs/none/in-doubt', { ...form, csrf })).status).toBe(404);
  });
});
