import { hashPassword } from '@sendonce/shared/access';
import { findKeys, removeKeys } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Browser, type Dashboard, loggedIn, openDashboard, PASSWORD, PEOPLE } from '../../testing/setup.js';

const HOUR_MS = 3_600_000;
const OTHER_HASH = await hashPassword('another one');
let dashboard: Dashboard | undefined;
afterEach(() => dashboard?.close());

async function setup(...options: Parameters<typeof openDashboard>): Promise<Dashboard> {
  dashboard = await openDashboard(...options);
  return dashboard;
}

const isIn = async (browser: Browser): Promise<boolean> => (await browser.fetch('/')).status === 200;

describe('a session', () => {
  it('begins with the right name and password, and ends by logging out', async () => {
    const { url, audit } = await setup();
    const browser = new Browser(url);
    expect(await isIn(browser)).toBe(false);
    expect((await browser.logIn('olga', 'wrong')).status).toBe(401);
    expect((await browser.logIn('nobody', PASSWORD)).status).toBe(401);
    expect(await isIn(browser)).toBe(false);
    expect((await browser.logIn('olga')).headers.get('location')).toBe('/');
    expect(await isIn(browser)).toBe(true);
    expect((await browser.post('/logout', {})).status, 'without a token').toBe(403);
    const copy = new Browser(url);
    copy.cookie = browser.cookie;
    await browser.post('/logout', { csrf: await browser.csrf() });
    expect(await isIn(browser)).toBe(false);
    expect(await isIn(copy), 'with a copy of the cookie').toBe(false);
    const trail = (await audit.list({ limit: 9 })).map(({ who, action }) => `${who}: ${action}`);
    expect(trail).toEqual([
      'olga: logout',
      'olga: login',
      'unknown name: login.failed',
      'olga: login.failed',
    ]);
  });

  it('ends after 12 hours, whatever the browser keeps', async () => {
    const { url, clock } = await setup();
    const browser = await loggedIn(url, 'olga');
    clock.advance(11.9 * HOUR_MS);
    expect(await isIn(browser)).toBe(true);
    clock.advance(0.2 * HOUR_MS);
    expect(await isIn(browser)).toBe(false);
  });

  it('holds at every dashboard, and after a restart', async () => {
    const { url, start } = await setup({ users: [], password: PASSWORD });
    const browser = await loggedIn(url, 'admin');
    const other = new Browser((await start()).url);
    other.cookie = browser.cookie;
    expect(await isIn(other)).toBe(true);
  });

  it.each([
    ['is removed', { users: [] }],
    ['gets another role', { users: [{ ...PEOPLE.users[0], role: 'viewer' as const }] }],
    ['gets another password', { users: [{ ...PEOPLE.users[0], passwordHash: OTHER_HASH }] }],
  ])('is over when somebody %s', async (_, changed) => {
    const { url, start } = await setup({ password: PASSWORD });
    const browser = await loggedIn(url, 'olga');
    const after = new Browser((await start(changed as never)).url);
    after.cookie = browser.cookie;
    expect(await isIn(after)).toBe(false);
  });

  it('can not be forged, lengthened, or given another role', async () => {
    const { url } = await setup();
    const browser = await loggedIn(url, 'vera');
    const [, payload = '', signature = ''] =
      /sendonce=([^;]+); sendonce\.sig=(.+)/.exec(browser.cookie) ?? [];
    const session = JSON.parse(Buffer.from(payload, 'base64').toString());
    const forge = (changed: object) =>
      Buffer.from(JSON.stringify({ ...session, ...changed })).toString('base64');
    for (const changed of [{ role: 'operator' }, { at: session.at + HOUR_MS }, { name: 'olga' }])
      for (const sig of [signature, 'AAAA', '']) {
        browser.cookie = `sendonce=${forge(changed)}; sendonce.sig=${sig}`;
        expect(await isIn(browser)).toBe(false);
      }
    browser.cookie = `sendonce=${payload}; sendonce.sig=${signature}`;
    expect(await isIn(browser)).toBe(true);
  });

  it('is kept from scripts and other sites, and from http once it came by https', async () => {
    const { url, start } = await setup();
    const cookieOf = async (at: string, headers: Record<string, string> = {}) => {
      const answer = await new Browser(at).post('/login', { user: 'olga', password: PASSWORD }, headers);
      return answer.headers.getSetCookie()[0]?.toLowerCase();
    };
    const plain = await cookieOf(url);
    expect(plain).toContain('httponly');
    expect(plain).toContain('samesite=strict');
    expect(plain).not.toContain('secure');
    const https = { 'x-forwarded-proto': 'https' };
    expect(await cookieOf((await start({ proxies: 1 })).url, https)).toContain('secure');
    expect(await cookieOf(url, https), 'nobody said that there is a proxy').not.toContain('secure');
  });
});

describe('logging in', () => {
  it('sends nobody to another site', async () => {
    const { url } = await setup();
    for (const to of [
      '//evil.example',
      'https://evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'evil',
    ]) {
      const answer = await new Browser(url).post('/login', { user: 'olga', password: PASSWORD, to });
      expect(answer.headers.get('location')).toBe('/');
    }
  });

  it('is not done by a page of another site', async () => {
    const { url } = await setup();
    const form = { user: 'olga', password: PASSWORD };
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
      const body = new URLSearchParams(form);
      expect((await new Browser(url).fetch('/login', { method: 'POST', body, headers })).status).toBe(403);
    }
  });

  it('takes as long for a name that is unknown as for a wrong password', async () => {
    const { url } = await setup();
    const timed = async (user: string) => {
      const start = performance.now();
      await new Browser(url).logIn(user, 'wrong password');
      return performance.now() - start;
    };
    const times = { known: [] as number[], unknown: [] as number[] };
    for (let round = 0; round < 4; round++) {
      times.known.push(await timed('olga'));
      times.unknown.push(await timed(`nobody${round}`));
    }
    // Hashing is more than nine tenths of it; without a decoy the unknown name is fifty times as fast.
    expect(Math.min(...times.unknown)).toBeGreaterThan(Math.min(...times.known) / 2);
  });
});

describe('attempts to log in', () => {
  const loginLimits = { perAddress: 5, perName: 3, windowSeconds: 60 };

  it('end for a name after too many, also with the right password, at every dashboard', async () => {
    const { url, start } = await setup({}, { loginLimits });
    const browser = new Browser(url);
    for (let guess = 0; guess < 3; guess++)
      expect((await browser.logIn('olga', `guess ${guess}`)).status).toBe(401);
    const elsewhere = new Browser((await start({ proxies: 1 })).url);
    const blocked = await elsewhere.post(
      '/login',
      { user: 'olga', password: PASSWORD },
      { 'x-forwarded-for': '192.0.2.7' },
    );
    expect(blocked.status).toBe(429);
    expect(Number(blocked.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(await blocked.text()).toContain('too many attempts');
    expect(await isIn(elsewhere)).toBe(false);
    expect((await browser.logIn('vera')).status, 'another name').toBe(303);
  });

  it('end for an address after too many, whatever the names, and however many at once', async () => {
    const { url } = await setup({}, { loginLimits });
    const guesses = Array.from({ length: 12 }, (_, number) =>
      new Browser(url).logIn(`name${number}`, 'guess'),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
    expect((await new Browser(url).logIn('olga')).status).toBe(429);
  });

  it('of an address that is blocked do not block names', async () => {
    const { start } = await setup({}, { loginLimits });
    const { url } = await start({ proxies: 1 });
    const from = (ip: string, user: string, password: string) =>
      new Browser(url).post('/login', { user, password }, { 'x-forwarded-for': ip });
    for (let guess = 0; guess < 5; guess++) await from('192.0.2.7', `name${guess}`, 'guess');
    for (let guess = 0; guess < 5; guess++)
      expect((await from('192.0.2.7', 'olga', 'guess')).status).toBe(429);
    expect((await from('192.0.2.8', 'olga', PASSWORD)).status).toBe(303);
  });

  it('begin anew after the right password', async () => {
    const { url } = await setup({}, { loginLimits: { ...loginLimits, perAddress: 100 } });
    for (let round = 0; round < 3; round++) {
      for (let guess = 0; guess < 2; guess++) await new Browser(url).logIn('olga', 'guess');
      expect((await new Browser(url).logIn('olga')).status).toBe(303);
    }
  });

  it('go on once the block is over', async () => {
    const { url, redis, prefix } = await setup({}, { loginLimits });
    for (let guess = 0; guess < 4; guess++) await new Browser(url).logIn('olga', 'guess');
    const keys = await findKeys(redis, `${prefix}:1:login-attempts:*`);
    expect(keys.some((key) => key.includes('olga'))).toBe(false);
    for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(0);
    // Moves the time of Redis, as it were.
    await removeKeys(redis, `${prefix}:1:login-attempts:*`);
    expect((await new Browser(url).logIn('olga')).status).toBe(303);
  });
});
