/** Links that lead through the public app: where they lead, and what is counted, over real HTTP. */
import { mkdtempSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { findKeys, makeCampaignDir, makeCsv, REDIRECT_TRICKS, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { startRedis } from '../../scripts/bootstrap/redis.mjs';
import { System } from './system.js';

/** `REDIRECTS=20000 npm test -- tests/e2e/links` prints how long redirects take at 2,000 a second. */
const REDIRECTS = Number(process.env.REDIRECTS ?? 2_000);
const REDIRECTS_PER_SECOND = 2_000;
const WARM_UP = 2_000;
const ALL = WARM_UP + REDIRECTS;
const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Report {
  sent: number;
  clicks: { human: number; scanner: number; unique: number; by_link: { link: string; human: number }[] };
}

async function setup({
  recipients = 10,
  perRecipient = 'no',
  redisUrl,
}: {
  recipients?: number;
  perRecipient?: string;
  redisUrl?: string;
} = {}) {
  const campaignsDir = makeCampaignDir({
    settings: `links: { prefix: /daily/, hosts: [www.dif.io, "http://127.0.0.1:8080"], utm: { source: news }, per_recipient: ${perRecipient} }\n`,
    body: 'Hi {{ first_name }}:\nhttps://www.dif.io/updates/haml-3.1.2/?a=b#top and\n(https://www.dif.io/legal).\n',
    csv: makeCsv(recipients),
  });
  const system = await System.start({ campaignsDir, ...(redisUrl && { redisUrl }) });
  cleanups.push(() => system.stop());
  await system.startDashboard();
  system.spawn('worker');
  const run = await system.startRun('news', new Date('2026-11-24T10:00:00Z'));
  await system.whenFinished(run);
  const click = (search: string, init: RequestInit = {}) =>
    fetch(`${system.publicUrl}/daily/${search}`, {
      redirect: 'manual',
      ...init,
      headers: { host: 'www.dif.io', 'user-agent': BROWSER, ...init.headers },
    });
  const report = async (): Promise<Report> =>
    JSON.parse((await system.sendonce('report', run, '--json')).out) as Report;
  return { click, report, run, system };
}

const UTM = 'utm_source=news&utm_medium=email&utm_campaign=news';

describe('a link in a mail', () => {
  it('leads through the public app to the site, and is counted', async () => {
    const { click, report, run, system } = await setup();
    const mail = await system.mailTo('reader3@example.com');
    expect(mail?.text).toContain('https://www.dif.io/daily/?/updates/haml-3.1.2/?a=b#top and');
    expect(mail?.text).toContain('(https://www.dif.io/daily/?/legal).');
    const response = await click('?/updates/haml-3.1.2/?a=b');
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe(`https://www.dif.io/updates/haml-3.1.2/?a=b&${UTM}`);
    expect(response.headers.get('cache-control')).toBe('no-store');
    await click('?/updates/haml-3.1.2/?a=b', { method: 'HEAD' });
    await click('?/legal', { headers: { 'user-agent': 'Mozilla/5.0 (compatible; bingbot/2.0)' } });
    await click('?/legal', { headers: { 'sec-purpose': 'prefetch;prerender' } });
    const clicks = await waitFor('the visit to be over', async () => {
      const { clicks } = await report();
      return clicks.human > 0 ? clicks : undefined;
    });
    expect(clicks).toMatchObject({ human: 1, scanner: 3, unique: 1 });
    const table = await system.sendonce('report', run);
    expect(table).toMatchObject({ code: 0, err: '' });
    expect(table.out).toMatch(/\/updates\/haml-3\.1\.2\/\?a=b\s+│ 1/);
    const csv = (await system.sendonce('report', run, '--csv')).out;
    expect(csv).toMatch(/^measure,link,hour,value\naudience,,,10\n/);
    expect(csv).toMatch(
      /\nhuman_clicks,\/updates\/haml-3\.1\.2\/\?a=b,20\d\d-\d\d-\d\dT\d\d:00:00\.000Z,1\n/,
    );
    expect(await system.sendonce('report', 'news--20200101T000000Z')).toMatchObject({ code: 2 });
    expect(await system.sendonce('report', run, '--json', '--csv')).toMatchObject({ code: 2 });
  });

  it('leads to the site that it came to, if it is one of the campaign, else to the first', async () => {
    const { system } = await setup();
    const locationFor = (host: string) => rawRequest(system.publicUrl, `/daily/?/x`, host);
    expect(await locationFor('127.0.0.1:8080')).toContain(`location: http://127.0.0.1:8080/x?${UTM}`);
    for (const host of ['www.dif.io', 'evil.example', 'www.dif.io.evil.example', 'www.dif.io@evil.example'])
      expect(await locationFor(host), host).toMatch(
        /^HTTP\/1.1 (302.*location: https:\/\/www\.dif\.io\/x|400)/is,
      );
  });

  it.each(['GET', 'HEAD'])('is followed nowhere else, whatever stands in it (%s)', async (method) => {
    const { system } = await setup();
    for (const trick of REDIRECT_TRICKS) {
      const answer = await rawRequest(system.publicUrl, `/daily/?${trick}`, 'www.dif.io', method);
      expect(answer, trick).toMatch(/^HTTP\/1.1 400 /);
      expect(answer.toLowerCase(), trick).not.toMatch(/^(location|refresh|set-cookie):/m);
    }
    expect(await rawRequest(system.publicUrl, `/daily/?/${'x'.repeat(9_000)}`, 'www.dif.io', method)).toMatch(
      /^HTTP\/1.1 400 /,
    );
    expect(await rawRequest(system.publicUrl, '/weekly/?/x', 'www.dif.io', method)).toMatch(
      /^HTTP\/1.1 404 /,
    );
    expect(await rawRequest(system.publicUrl, '/daily/?/x', 'www.dif.io', 'DELETE')).toMatch(
      /^HTTP\/1.1 405 /,
    );
  });

  it('with a token of its recipient is counted once a person, wherever it is opened', async () => {
    const { click, report, system } = await setup({ perRecipient: 'yes' });
    const mail = await system.mailTo('reader3@example.com');
    const [, search = ''] = /daily\/(\?[\w-]{24}\/legal)/.exec(mail?.text ?? '') ?? [];
    for (const agent of [BROWSER, BROWSER.replace('X11', 'Android')])
      expect((await click(search, { headers: { 'user-agent': agent } })).headers.get('location')).toBe(
        `https://www.dif.io/legal?${UTM}`,
      );
    // Changed, it still leads on.
    expect((await click(search.replace(/[\w-]{24}/, 'x'.repeat(24)))).status).toBe(302);
    const clicks = await waitFor('the visits to be over', async () => {
      const { clicks } = await report();
      return clicks.human >= 3 ? clicks : undefined;
    });
    expect(clicks).toMatchObject({ human: 3, unique: 2 });
  });

  it('that the static page reports is counted when the page is one of the campaign', async () => {
    const { click, report } = await setup();
    const tell = (body: string, origin: string) =>
      click('', { method: 'POST', body, headers: { origin, 'content-type': 'text/plain' } });
    expect((await tell('?/legal', 'https://www.dif.io')).status).toBe(204);
    expect((await tell('?/legal', 'https://evil.example')).status).toBe(403);
    expect((await tell('?//evil.example', 'https://www.dif.io')).status).toBe(400);
    expect((await tell(`?/${'x'.repeat(20_000)}`, 'https://www.dif.io')).status).toBe(413);
    const clicks = await waitFor('the visit to be over', async () => {
      const { clicks } = await report();
      return clicks.human > 0 ? clicks : undefined;
    });
    expect(clicks).toMatchObject({ human: 1, by_link: [{ link: '/legal', human: 1 }] });
  });
});

it('links lead on while Redis is away, and are counted again when it is back', async () => {
  const redis = await startRedis({ dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-e2e-')), 'redis') });
  cleanups.push(() => redis.stop());
  const { click, report, system } = await setup({ redisUrl: redis.url });
  expect((await click('?/legal')).status).toBe(302);
  await redis.kill('SIGKILL');
  for (let n = 0; n < 20; n++) expect((await click('?/legal')).status).toBe(302);
  await redis.start();
  await waitFor('a click that is counted', async () => {
    expect((await click('?/legal')).status).toBe(302);
    return (await findKeys(system.redis, `${system.prefix}:1:{links:news}:visits`)).length > 0;
  });
  await waitFor('the report', async () => (await report()).clicks.human > 0);
});

it('clicks at 2,000 a second are counted exactly', async () => {
  const { report, system } = await setup();
  // A process that has just started is slow for a second or two.
  await clickSteadily(system.publicUrl, WARM_UP, REDIRECTS_PER_SECOND / 4);
  const latencies = await clickSteadily(system.publicUrl, REDIRECTS, REDIRECTS_PER_SECOND, WARM_UP);
  latencies.sort((a, b) => a - b);
  const [median, p99] = [0.5, 0.99].map((share) => latencies[Math.floor(latencies.length * share)] ?? 0);
  if (process.env.REDIRECTS)
    process.stderr.write(
      `${REDIRECTS} redirects at ${REDIRECTS_PER_SECOND}/s: median ${median?.toFixed(1)} ms, p99 ${p99?.toFixed(1)} ms\n`,
    );
  const clicks = await waitFor('the visits to be over', async () => {
    const { clicks } = await report();
    return clicks.human + clicks.scanner === ALL ? clicks : undefined;
  });
  // Every visitor clicks once, so none of them is a scanner.
  expect(clicks).toMatchObject({ human: ALL, scanner: 0 });
  expect(Math.abs(clicks.unique / ALL - 1)).toBeLessThan(0.04);
});

/** One visitor a request, by their addresses; the latency of each in ms, from the time at which it was due. */
async function clickSteadily(
  publicUrl: string,
  count: number,
  perSecond: number,
  firstVisitor = 0,
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const startsAt = performance.now();
  const latencies: number[] = [];
  const clickOnce = (n: number) =>
    new Promise<void>((resolve, reject) => {
      const v = firstVisitor + n;
      const headers = {
        'user-agent': BROWSER,
        'x-forwarded-for': `198.${v >> 16}.${(v >> 8) & 255}.${v & 255}`,
      };
      get(
        `${publicUrl}/daily/?/${n % 2 ? 'legal' : 'updates/haml-3.1.2/?a=b'}`,
        { agent, headers },
        (response) => {
          response.resume();
          response.on('end', () => {
            latencies.push(performance.now() - startsAt - (n / perSecond) * 1_000);
            if (response.statusCode === 302) resolve();
            else reject(new Error(`Status ${response.statusCode}`));
          });
        },
      ).on('error', reject);
    });
  const clicks: Promise<void>[] = [];
  while (clicks.length < count) {
    const due = Math.min(count, Math.floor(((performance.now() - startsAt) / 1_000) * perSecond));
    while (clicks.length < due) clicks.push(clickOnce(clicks.length));
    // Not busily: the server needs the processor, too.
    await setTimeout(1);
  }
  await Promise.all(clicks);
  agent.destroy();
  return latencies;
}

/** A request as it is written, which `fetch` would tidy up; the whole answer. */
function rawRequest(url: string, target: string, host: string, method = 'GET'): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    connect(Number(port), hostname)
      .on('error', reject)
      .on('data', (data) => {
        answer += data.toString('latin1');
      })
      .on('close', () => resolve(answer))
      .write(
        `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nuser-agent: ${BROWSER}\r\naccept: text/html\r\nconnection: close\r\n\r\n`,
        'latin1',
      );
  });
}
