/** Runs of single messages, and their templates, as operators see them. */
import { encodeRecipients } from '@sendonce/shared/ledger';
import { makeSnapshot } from '@sendonce/shared/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Browser, type Dashboard, loggedIn, openDashboard } from '../testing/setup.js';

let dashboard: Dashboard;
let operator: Browser;
let run: string;
beforeAll(async () => {
  dashboard = await openDashboard();
  const { clock, ledger, runs } = dashboard;
  const snapshot = { ...(await makeSnapshot(1)), id: 'receipt' };
  ({ run } = await runs.create(snapshot, new Date(clock.now()), 'messages'));
  for (const size of [2, 1]) {
    const chunk = (await runs.allotChunk(run, 10)) ?? -1;
    const recipients = Array.from({ length: size }, () => ({ address: 'jane@example.com', fields: {} }));
    await ledger.createChunk({ run, chunk }, encodeRecipients(recipients), Array(size).fill('queued'));
    await runs.tally(run, chunk, await ledger.tally({ run, chunk }));
  }
  operator = await loggedIn(dashboard.url, 'olga');
});
afterAll(() => dashboard.close());

const page = async (path: string) => (await operator.fetch(path)).text();

it('a run of messages is named after its template, and its numbers add up while it collects', async () => {
  expect(await page('/')).toMatch(/Messages of receipt since .*<\/a> <span class="status collecting">/);
  const html = await page(`/runs/${run}`);
  expect(html).toContain('Messages of receipt since');
  expect(html).toContain('✓ the audience');
  expect(html).toContain('/queues/queue/messages');
  expect(await page('/queues/api/queues')).toContain('"messages"');
});

it('all messages to an address are found', async () => {
  const found = await operator.post(`/runs/${run}/find`, {
    address: 'Jane@example.com',
    csrf: await operator.csrf(),
  });
  expect((await found.text()).match(/jane@example\.com/g)).toHaveLength(3);
});

it('a template shows its sample, and can not be run', async () => {
  const html = await page('/campaigns/receipt');
  expect(html).toContain('A template of single messages');
  expect(html).toContain('Hi Jane');
  expect(html).not.toContain('Run now');
  const csrf = await operator.csrf();
  expect((await operator.post('/campaigns/receipt/run', { csrf })).headers.get('location')).toBe(
    '/campaigns/receipt',
  );
  expect(await dashboard.runs.open()).toEqual([run]);
  expect(await page('/campaigns')).toContain('<td>single messages</td>');
});
