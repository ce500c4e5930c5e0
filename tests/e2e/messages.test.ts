/**
 * Single messages as programs meet them: thousands at once, each key several times, a dashboard that is killed in the middle,
 * and a campaign that uses the whole rate.
 */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { makeApiKey } from '@sendonce/shared/runtime';
import { MESSAGE_YAML, makeCampaignDir, makeCsv, shuffled, waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { everyone, System } from './system.js';

const MESSAGES = 10_000;
const TIMES = 3;
/** Before a request that got no answer is repeated, ms. */
const RETRY_MS = 200;

const { key: apiKey, entry } = makeApiKey('shop', ['messages']);
let system: System;
let agent: Agent;
afterEach(async () => {
  agent.destroy();
  await system.stop();
});

async function start(rate: number): Promise<void> {
  const campaignsDir = makeCampaignDir({ id: 'receipt', yaml: MESSAGE_YAML }, { csv: makeCsv(5_000) });
  system = await System.start({
    campaignsDir,
    // No events: thousands of them would only keep the dashboard from its requests.
    env: { API_KEYS: entry, SES_MAX_RATE: String(rate), SES_CONFIGURATION_SET: '' },
  });
  agent = new Agent({ keepAlive: true, maxSockets: 256 });
}

interface Answer {
  status: number;
  body: { run: string; status: string };
}

/** As a client does that wants to be sure: until there is an answer that says so. */
async function send(key: string): Promise<Answer> {
  for (;;) {
    const answer = await post(key).catch(() => undefined);
    if (answer && answer.status < 300) return answer;
    if (answer && answer.status !== 503) throw new Error(`${key}: ${answer.status}`);
    await pause(RETRY_MS);
  }
}

async function post(key: string): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${apiKey}`,
    'content-type': 'application/json',
    'idempotency-key': key,
  };
  const posting = request(`${system.dashboardUrl}/api/v1/messages`, { method: 'POST', agent, headers });
  posting.end(JSON.stringify({ template: 'receipt', to: `${key}@example.com`, data: { first_name: key } }));
  const [response] = (await once(posting, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: (await json(response)) as Answer['body'] };
}

it('are one mail a key, when every key comes three times and the dashboard is killed in the middle', async () => {
  await start(5_000);
  const dashboard = await system.startDashboardPorts();
  system.spawn('worker');
  const keys = Array.from({ length: MESSAGES }, (_, index) => `m${index}`);
  let answered = 0;
  const sending = Promise.all(
    shuffled(Array.from({ length: TIMES }, () => keys).flat(), 1).map(async (key) => {
      const answer = await send(key);
      answered += 1;
      return { key, ...answer };
    }),
  );
  await waitFor('some of the answers', () => answered > MESSAGES / 2);
  await system.kill(dashboard);
  await system.startDashboardPorts();
  const answers = await sending;

  const byKey = new Map(answers.map(({ key, body: { run } }) => [key, run]));
  expect(byKey.size).toBe(MESSAGES);
  const runs = [...new Set(byKey.values())];
  await waitFor(
    'everybody to be served',
    async () => {
      const records = await Promise.all(runs.map((run) => system.runs.get(run)));
      return records.reduce((sum, { numbers }) => sum + numbers.sent, 0) === MESSAGES;
    },
    60_000,
  );
  for (const run of runs) {
    const { numbers, status } = await system.runs.get(run);
    expect(status).toBe('collecting');
    expect(numbers).toMatchObject({
      audience: numbers.sent,
      queued: 0,
      claimed: 0,
      in_doubt: 0,
      rejected: 0,
    });
    expect(await system.inbox(run)).toEqual(everyone(numbers.sent));
  }
  // One place a key, and nobody at it but this key.
  const answeredRuns = answers.every(({ key, body: { run } }) => byKey.get(key) === run);
  expect(answeredRuns).toBe(true);
  for (const key of [keys[0], keys[MESSAGES / 2], keys.at(-1)])
    expect((await system.mailTo(`${key}@example.com`))?.text).toContain(`Hi ${key}`);
});

it('pass a campaign that uses the whole rate', async () => {
  await start(50);
  await system.startDashboardPorts();
  system.spawn('worker');
  system.spawn('worker');
  const campaign = await system.startRun('news');
  await system.whenSent(campaign, 30);
  const {
    body: { run },
  } = await send('first');
  await system.whenSent(run, 1);
  // Nearly all of the campaign, which is 100 seconds of the rate, is behind it.
  expect((await system.runs.get(campaign)).numbers.queued).toBeGreaterThan(4_000);
});
