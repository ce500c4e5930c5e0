/** Logging in at an identity provider: a real one, small, which signs what it says. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLIENT, type Lie, OidcProvider } from '../../testing/oidcProvider.js';
import { Browser, type Dashboard, openDashboard, PASSWORD } from '../../testing/setup.js';

let provider: OidcProvider;
let dashboard: Dashboard;
beforeEach(async () => {
  provider = await OidcProvider.start();
  const oidc = {
    ...CLIENT,
    issuer: provider.issuer,
    groupsClaim: 'groups',
    operators: ['jane@example.com', 'group:mailers'],
    viewers: ['@example.com'],
  };
  dashboard = await openDashboard({ oidc, users: [] });
});
afterEach(async () => {
  provider.stop();
  await dashboard.close();
});

const JANE = { sub: 'sub-jane', email: 'Jane@Example.com', email_verified: true };

/** To the provider and back: where the browser ends up with the provider's answer. */
async function toProviderAndBack(browser: Browser, to = '/'): Promise<string> {
  const begun = await browser.fetch(`/login/oidc?${new URLSearchParams({ to })}`);
  const answer = await fetch(begun.headers.get('location') ?? '', { redirect: 'manual' });
  return answer.headers.get('location') ?? '';
}

async function logIn(browser: Browser, to?: string): Promise<Response> {
  return browser.fetch(await toProviderAndBack(browser, to));
}

const isIn = async (browser: Browser): Promise<boolean> => (await browser.fetch('/')).status === 200;

describe('somebody of the identity provider', () => {
  it('gets in as what the settings say, and to where they were going', async () => {
    provider.person = JANE;
    const browser = new Browser(dashboard.url);
    expect(await (await browser.fetch('/login')).text()).toContain('/login/oidc');
    const answer = await logIn(browser, '/audit');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('0;url=/audit');
    const page = await (await browser.fetch('/')).text();
    expect(page).toContain('jane@example.com (operator)');
    const [entry] = await dashboard.audit.list({ limit: 1 });
    expect(entry).toMatchObject({ who: 'jane@example.com', action: 'login', outcome: 'done' });
  });

  it('is a viewer by the domain, and an operator by a group that only userinfo tells', async () => {
    const browser = new Browser(dashboard.url);
    provider.person = { sub: 'sub-joe', email: 'joe@example.com', email_verified: true };
    await logIn(browser);
    expect(await (await browser.fetch('/')).text()).toContain('(viewer)');
    provider.more = { groups: ['mailers'] };
    await logIn(browser);
    expect(await (await browser.fetch('/')).text()).toContain('(operator)');
  });

  it.each([
    ['whom nobody has named', { sub: 'sub-eve', email: 'eve@evil.example', email_verified: true }],
    ['whose address nobody has verified', { ...JANE, email_verified: false }],
    ['whose address is not said to be verified', { sub: 'sub-jane', email: 'jane@example.com' }],
  ])('%s is told so, and does not get in', async (_, person) => {
    provider.person = person;
    const browser = new Browser(dashboard.url);
    const answer = await logIn(browser);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('who may not look at this');
    expect(await isIn(browser)).toBe(false);
    expect((await dashboard.audit.list({ limit: 1 }))[0]).toMatchObject({ action: 'login.failed' });
  });

  it('is out at once when the settings name others', async () => {
    provider.person = JANE;
    const browser = new Browser(dashboard.url);
    await logIn(browser);
    const oidc = {
      ...CLIENT,
      issuer: provider.issuer,
      groupsClaim: 'groups',
      operators: ['joe@example.com'],
      viewers: [],
    };
    const after = new Browser((await dashboard.start({ oidc })).url);
    after.cookie = browser.cookie;
    expect(await isIn(after)).toBe(false);
  });
});

describe("the provider's answer", () => {
  it.each<Lie>(['nonce', 'signature', 'audience', 'issuer', 'expired', 'unsigned'])(
    'is refused when it is wrong: %s',
    async (lie) => {
      provider.person = JANE;
      provider.lie = lie;
      const browser = new Browser(dashboard.url);
      expect((await logIn(browser)).status).toBe(401);
      expect(await isIn(browser)).toBe(false);
    },
  );

  it('is refused with another state, in another browser, a second time, and without a beginning', async () => {
    provider.person = JANE;
    const browser = new Browser(dashboard.url);
    const back = new URL(await toProviderAndBack(browser));
    const { cookie } = browser;
    const other = new Browser(dashboard.url);
    expect((await other.fetch(back.href)).status).toBe(400);
    back.searchParams.set('state', 'another state');
    expect((await browser.fetch(back.href)).status).toBe(401);
    expect((await logIn(browser)).status).toBe(200);
    expect((await browser.fetch(back.href)).status, 'the attempt is over').toBe(400);
    other.cookie = cookie.replace(/sendonce\.oidc=[^.]+/, 'sendonce.oidc=e30');
    expect((await other.fetch(back.href)).status, 'a forged attempt').toBe(400);
    expect(await isIn(other)).toBe(false);
  });

  it('is refused when it comes too late', async () => {
    provider.person = JANE;
    const browser = new Browser(dashboard.url);
    const back = await toProviderAndBack(browser);
    dashboard.clock.advance(11 * 60_000);
    expect((await browser.fetch(back)).status).toBe(400);
  });

  it('is waited for in a cookie that comes back from another site, and is kept from scripts', async () => {
    const begun = await new Browser(dashboard.url).fetch('/login/oidc');
    const [cookie] = begun.headers.getSetCookie();
    expect(cookie).toMatch(/samesite=lax/i);
    expect(cookie).toMatch(/httponly/i);
  });
});

describe('a provider that is away', () => {
  it('is said to be, and does not keep people with passwords out', async () => {
    const oidc = {
      ...CLIENT,
      issuer: 'http://127.0.0.1:1',
      groupsClaim: 'groups',
      operators: ['group:a'],
      viewers: [],
    };
    const { url } = await dashboard.start({ oidc, password: PASSWORD });
    const browser = new Browser(url);
    expect((await browser.fetch('/login/oidc')).status).toBe(502);
    expect((await browser.logIn('admin')).status).toBe(303);
  });

  it('leaves no way in by password where no password is set', async () => {
    const browser = new Browser(dashboard.url);
    expect(await (await browser.fetch('/login')).text()).not.toContain('type="password"');
    expect((await browser.logIn('admin')).status).toBe(401);
  });
});
