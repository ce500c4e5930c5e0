/**
 * From a link in a delivered mail to the landing page, as a reader gets there: through the static page, and through our
 * server where scripts are off. The site is a real one on a port of its own; only its analytics is made up.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCampaignDir, REDIRECT_TRICKS, waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { System } from '../e2e/system.js';
import { describeInBrowser } from './chromium.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const UTM = 'utm_source=news&utm_medium=email&utm_campaign=news';
/** A page's analytics, as GA4, Plausible and Matomo do it: reads the address, tells it by a request of its own. */
const LANDING_PAGE = `<!doctype html><title>Landing</title><h1>haml 3.1.2</h1>
<script src="/daily/clean-url.js" defer data-timeout="60000"></script>
<script>setTimeout(() => navigator.sendBeacon('/g/collect?dl=' + encodeURIComponent(location.href)), 300)</script>`;

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The operators' site: a landing page, its analytics, and under /daily/ what the test puts there. */
async function startSite() {
  const seen: string[] = [];
  let daily: Handler = (_, response) => void response.writeHead(404).end();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://site');
    if (url.pathname === '/g/collect') seen.push(url.searchParams.get('dl') ?? '');
    if (url.pathname.startsWith('/daily/')) return daily(request, response);
    response.writeHead(200, { 'content-type': 'text/html' }).end(LANDING_PAGE);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    seen,
    serveDaily(handler: Handler) {
      daily = handler;
    },
  };
}

async function setup(perRecipient = 'no') {
  const site = await startSite();
  const campaignsDir = makeCampaignDir({
    settings: `links: { prefix: /daily/, hosts: ["${site.origin}"], per_recipient: ${perRecipient} }\n`,
    body: `Hi {{ first_name }},\nhaml 3.1.2 is out: ${site.origin}/updates/haml/?a=b%20c&d#changes\n`,
  });
  const system = await System.start({ campaignsDir });
  cleanups.push(() => system.stop());
  await system.startDashboard();
  system.spawn('worker');
  const run = await system.startRun('news', new Date('2026-11-24T10:00:00Z'));
  await system.whenFinished(run);
  const clicks = () =>
    waitFor('the visit to be over', async () => {
      const report = JSON.parse((await system.sendonce('report', run, '--json')).out) as {
        clicks: { human: number; unique: number; by_link: { link: string }[] };
      };
      return report.clicks.human > 0 ? report.clicks : undefined;
    });
  return { clicks, site, system };
}

/** Writes the page as its user would, and serves the folder as any static host does. */
async function serveStaticPage({ site, system }: Awaited<ReturnType<typeof setup>>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'sendonce-links-'));
  const { code, err } = await system.sendonce(
    'links-page',
    'news',
    '--out',
    dir,
    '--beacon',
    `${system.publicUrl}/daily/`,
  );
  expect(code, err).toBe(0);
  const files = new Map([
    ['/daily/', ['index.html', 'text/html']],
    ['/daily/clean-url.js', ['clean-url.js', 'text/javascript']],
  ]);
  site.serveDaily((request, response) => {
    const [name = '', type = ''] = files.get(new URL(request.url ?? '', 'http://site').pathname) ?? [];
    response.writeHead(name ? 200 : 404, { 'content-type': type }).end(name && readFileSync(join(dir, name)));
  });
}

describeInBrowser('a reader who clicks a link in a mail', (openBrowser) => {
  it('ends on the landing page with a clean address, which analytics saw with its UTM parameters', async () => {
    const bundle = await setup();
    const { clicks, site, system } = bundle;
    await serveStaticPage(bundle);
    const page = await (await openBrowser()).newPage();
    const { messageId } = (await system.mailTo('reader1@example.com')) ?? {};
    await page.goto(`${system.sesUrl}/mails/${messageId}`);
    await page.getByRole('link', { name: `${site.origin}/daily/?/updates/haml/` }).click();
    await page.getByRole('heading', { name: 'haml 3.1.2' }).waitFor();
    await page.waitForURL(`${site.origin}/updates/haml/?a=b%20c&d#changes`);
    expect(site.seen).toEqual([`${site.origin}/updates/haml/?a=b%20c&d&${UTM}#changes`]);
    // The page between leaves nothing to go back to.
    await page.goBack();
    expect(page.url()).toBe(`${system.sesUrl}/mails/${messageId}`);
    expect(await clicks()).toMatchObject({
      human: 1,
      unique: 1,
      by_link: [{ link: '/updates/haml/?a=b%20c&d' }],
    });
    await page.close();
  });

  it('gets there without scripts through the server, and a token in the link changes nothing', async () => {
    const { clicks, site, system } = await setup('yes');
    // What nginx's proxy_pass does.
    site.serveDaily((incoming, response) => {
      const { hostname, port } = new URL(system.publicUrl);
      const headers = { ...incoming.headers, 'x-forwarded-for': '198.51.100.7' };
      const proxied = request(
        { hostname, port, path: incoming.url, method: incoming.method, headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      incoming.pipe(proxied);
    });
    const context = await (await openBrowser()).newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    const { messageId } = (await system.mailTo('reader1@example.com')) ?? {};
    await page.goto(`${system.sesUrl}/mails/${messageId}`);
    await page.getByRole('link', { name: `${site.origin}/daily/?` }).click();
    await page.waitForURL(`${site.origin}/updates/haml/?a=b%20c&d&${UTM}#changes`);
    expect(await clicks()).toMatchObject({ human: 1, unique: 1 });
    await context.close();
  });

  it('leaves the site by no trick, and runs no script of a link', async () => {
    const bundle = await setup();
    const { site } = bundle;
    await serveStaticPage(bundle);
    const page = await (await openBrowser()).newPage();
    const requested = new Set<string>();
    const dialogs: string[] = [];
    page.on('request', (sent) => requested.add(new URL(sent.url()).origin));
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    for (const trick of REDIRECT_TRICKS) {
      await page.goto(`${site.origin}/daily/?${trick}`);
      await page.getByText('This link leads nowhere').waitFor();
      expect(new URL(page.url()).origin, trick).toBe(site.origin);
    }
    expect([...requested]).toEqual([site.origin]);
    expect(dialogs).toEqual([]);
    await page.close();
  });

  it.each([
    ['after its time-out', 'data-timeout="200"', ''],
    ['when the page says so', 'data-timeout="60000"', `document.dispatchEvent(new Event('analytics:read'))`],
    [
      'when a request to another analytics goes out',
      'data-timeout="60000" data-analytics="/stats"',
      `fetch('/stats?x')`,
    ],
    ['when the request went out before', 'data-timeout="60000"', '', `fetch('/api/event')`],
  ])('sees a clean address %s', async (_, attributes, later, before = '') => {
    const site = await startSite();
    const script = readFileSync(
      new URL('../../packages/shared/src/links/browser/clean-url.js', import.meta.url),
    );
    const context = await (await openBrowser()).newContext();
    const page = await context.newPage();
    await page.route('**/landing*', (route) =>
      route.fulfill({
        contentType: 'text/html',
        body: `<!doctype html><title>x</title><script>history.replaceState({ own: 1 }, '');${before}</script><script src="/clean-url.js" defer ${attributes}></script>`,
      }),
    );
    await page.route('**/clean-url.js', (route) =>
      route.fulfill({ contentType: 'text/javascript', body: script }),
    );
    const address = `${site.origin}/landing?a=%20+b&UTM_Source=x&utm_medium=y&utmost=1&&utm_id#top`;
    await page.goto(address);
    if (later) {
      expect(page.url()).toBe(address);
      await page.evaluate(later);
    }
    await page.waitForURL(`${site.origin}/landing?a=%20+b&utmost=1&#top`);
    expect(await page.evaluate('history.state')).toEqual({ own: 1 });
    await context.close();
  });
});
