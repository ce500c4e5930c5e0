/** A whole system on a Redis Cluster of three masters: a run spread over the nodes, and one pass over all that looks at it. */
import { API_SCOPES, makeApiKey } from '@sendonce/shared/runtime';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisCluster, startTemporaryCluster } from '../../scripts/bootstrap/redisCluster.mjs';
import { System } from '../e2e/system.js';

const RECIPIENTS = 3_000;
const CHUNKS = 6;
/** The slots of a run come from its id alone: the chunks of this one lie on all three nodes. */
const AT = '2026-11-24T10:00:00Z';
const RUN = 'news--20261124T100000Z';
const DOUBTFUL = 'reader1234@example.com';

const { key, entry } = makeApiKey('shop', API_SCOPES);
let cluster: RedisCluster;
let system: System;
beforeAll(async () => {
  cluster = await startTemporaryCluster('cluster-system');
  const campaignsDir = makeCampaignDir({
    csv: makeCsv(RECIPIENTS),
    settings: 'links: { prefix: /daily/, hosts: [www.dif.io], utm: { source: news } }\n',
    body: 'Hi {{ first_name }}:\nhttps://www.dif.io/updates\n\nNo more of it: {{ unsubscribe_url }}\n',
  });
  const env = { API_KEYS: entry, SES_MAX_RATE: '800' };
  system = await System.start({ campaignsDir, redisUrl: cluster.url, env });
  await system.startDashboard();
  await system.setFaults({ rules: [{ fault: 'refuse-then-reset', recipients: [DOUBTFUL] }] });
  system.spawn('worker');
  system.spawn('worker');
});
afterAll(async () => {
  await system?.stop();
  await cluster?.stop();
});

const api = (path: string, init: RequestInit = {}) =>
  fetch(`${system.dashboardUrl}/api/v1${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers },
  });
const page = async (path: string) => {
  const response = await fetch(system.dashboardUrl + path, { headers: { cookie: await system.cookie() } });
  return { status: response.status, text: await response.text() };
};
const command = async (...args: string[]) => {
  const { code, out, err } = await system.sendonce(...args);
  expect(code, `${args.join(' ')}: ${err}`).toBe(0);
  return out;
};

describe('on a Redis Cluster', () => {
  it('a program starts a run once, it is paused, resumed, settled, and everyone is served once', async () => {
    const suppressed = 'reader2999@example.com';
    await command('suppress', 'add', suppressed);
    const start = () =>
      api('/campaigns/news/runs', {
        method: 'POST',
        headers: { 'idempotency-key': 'first' },
        body: JSON.stringify({ scheduled_at: AT }),
      });
    expect((await start()).status).toBe(201);
    expect((await start()).status).toBe(200);
    await system.whenSent(RUN, 300);
    await command('pause', RUN);
    expect(JSON.parse(await command('status', RUN, '--json'))).toMatchObject({ status: 'paused' });
    await command('resume', RUN);
    // What else is in doubt, on a machine that is slow, its events settle.
    await waitFor(
      'the end, but for the doubt',
      async () => {
        const { queued, claimed, in_doubt } = (await system.runs.get(RUN)).numbers;
        return queued + claimed === 0 && in_doubt === 1;
      },
      60_000,
    );
    expect(await command('in-doubt', RUN)).toContain('1 in doubt.');
    await command('in-doubt', RUN, '--settle', 'sent', '--address', DOUBTFUL);
    const { numbers } = await system.whenFinished(RUN);
    expect(numbers).toMatchObject({ sent: RECIPIENTS - 1, suppressed: 1, in_doubt: 0, rejected: 0 });
    const served = RECIPIENTS - 2;
    expect(await system.inbox(RUN)).toEqual({ messages: served, recipients: served, duplicates: 0 });
  });

  it('its ledger lies on all three nodes', async () => {
    const nodes = new Set<number>();
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      const states = `${system.prefix}:1:{${RUN}/${chunk}}:states`;
      expect(await system.redis.strlen(states)).toBe(RECIPIENTS / CHUNKS);
      nodes.add((await cluster.masterOf(states)).port);
    }
    expect(nodes.size).toBe(3);
  });

  it('links lead on and are counted, whoever leaves is on the list, and events are counted', async () => {
    const mail = await system.mailTo('reader7@example.com');
    const headers = {
      host: 'www.dif.io',
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0',
    };
    const click = await fetch(`${system.publicUrl}/daily/?/updates`, { redirect: 'manual', headers });
    expect(click.status).toBe(302);
    const [unsubscribe = ''] = /http\S+\/u\/\S+/.exec(mail?.text ?? '') ?? [];
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    expect((await fetch(unsubscribe, { method: 'POST', body })).status).toBe(200);
    expect(await command('suppress', 'list')).toMatch(/^reader7@example.com,news,unsubscribe,/m);
    const report = await waitFor(
      'the click and the events',
      async () => {
        const read = JSON.parse(await command('report', RUN, '--json'));
        return read.clicks.human === 1 && read.delivered === RECIPIENTS - 2 && read;
      },
      60_000,
    );
    expect(report).toMatchObject({ sent: RECIPIENTS - 1 });
    expect((await command('export', RUN)).trim().split('\n')).toHaveLength(RECIPIENTS + 1);
  });

  it.each([
    '/',
    '/runs',
    `/runs/${RUN}`,
    `/runs/${RUN}/in-doubt`,
    '/campaigns',
    '/campaigns/news',
    '/suppressions',
    '/audit',
    '/hold',
    '/queues/api/queues',
  ])('the dashboard shows %s', async (path) => {
    const { status, text } = await page(path);
    expect(text).not.toContain('CROSSSLOT');
    expect(status).toBe(200);
  });

  it.each(['/campaigns', '/runs', `/runs/${RUN}`, '/suppressions', '/suppressions/reader7@example.com'])(
    'the API answers %s',
    async (path) => {
      expect((await api(path)).status).toBe(200);
    },
  );

  it('doctor finds it well, and nothing is held', async () => {
    expect(await command('doctor')).toContain('✓ Redis durability: appendonly yes, appendfsync always');
    expect(await command('hold')).toContain('Nothing is held.');
  });
});
