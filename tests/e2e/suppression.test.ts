/** Who gets no mail: bounces of one run in the next, and recipients who leave while a run is going on. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openUnsubscribeLinks, SuppressionList } from '@sendonce/shared/suppression';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { System } from './system.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup(recipients: number, rate = 5_000) {
  const campaignsDir = makeCampaignDir({
    csv: makeCsv(recipients),
    body: 'Hi {{ first_name }},\nnews.\n\nNo more of it: {{ unsubscribe_url }}\n',
  });
  const system = await System.start({ campaignsDir, env: { SES_MAX_RATE: String(rate) } });
  cleanups.push(() => system.stop());
  await system.startDashboard();
  system.spawn('worker');
  const { redis, prefix } = system;
  const suppressions = new SuppressionList({ redis, prefix, clock: { now: () => Date.now() } });
  return { sendonce: system.sendonce.bind(system), suppressions, system };
}

const oneClick = (url: string) =>
  fetch(url, { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) });

describe('an address', () => {
  it('whose mail bounced in run 1 is suppressed in run 2, and the numbers add up', async () => {
    const { sendonce, suppressions, system } = await setup(30);
    await system.setFaults({ rules: [{ fault: 'bounce', recipients: ['reader7@example.com'] }] });
    const first = await system.startRun('news', new Date('2026-11-24T10:00:00Z'));
    await system.whenFinished(first);
    await waitFor('the bounce', async () => (await suppressions.find('reader7@example.com')).length > 0);
    const second = await system.startRun('news', new Date('2026-11-25T10:00:00Z'));
    const { numbers } = await system.whenFinished(second);
    expect(numbers).toMatchObject({ audience: 30, suppressed: 1, sent: 29, rejected: 0 });
    expect(await system.inbox(second)).toEqual({ messages: 29, recipients: 29, duplicates: 0 });
    const csv = await sendonce('export', second);
    expect(csv.out).toMatch(/^reader7@example.com,suppressed,,.*,bounce,$/m);
  });
});

describe('a recipient', () => {
  it('who leaves while a run is going on, before its claim, gets nothing', async () => {
    const { system } = await setup(1_000, 200);
    const run = await system.startRun();
    await system.whenSent(run, 1);
    const at = (await system.runs.get(run)).scheduledAt;
    const { redis, prefix } = system;
    const links = await openUnsubscribeLinks({ redis, prefix }, { url: system.publicUrl });
    const last = 'reader999@example.com';
    const response = await oneClick(links.urlFor({ address: last, campaign: 'news', scheduledAt: at }));
    expect(response.status).toBe(200);
    const { numbers, outcomes } = await system.whenFinished(run);
    expect(numbers).toMatchObject({ sent: 999, suppressed: 1 });
    expect(outcomes.unsubscribed).toBe(1);
    expect(await system.mailTo(last)).toBeUndefined();
    expect(await system.inbox(run)).toEqual({ messages: 999, recipients: 999, duplicates: 0 });
  });

  it('leaves by the link of a mail with one click, and comes back by its page; a GET changes nothing', async () => {
    const { sendonce, suppressions, system } = await setup(3);
    const run = await system.startRun();
    await system.whenFinished(run);
    const mail = await system.mailTo('reader1@example.com');
    const header = mail?.headers['List-Unsubscribe'] ?? '';
    const url = header.slice(1, -1);
    expect(mail?.headers['List-Unsubscribe-Post']).toBe('List-Unsubscribe=One-Click');
    expect(mail?.text).toContain(url);
    expect(url).not.toContain('reader1');

    const entries = () => suppressions.find('reader1@example.com');
    const page = await fetch(url);
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self'");
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.text()).not.toContain('reader1@example.com');
    expect(await entries()).toEqual([]);

    expect((await oneClick(url)).status).toBe(200);
    expect(await entries()).toMatchObject([{ scope: 'news', reason: 'unsubscribe', run }]);
    expect((await sendonce('export', run)).out).toMatch(/^reader1@example.com,sent,.*unsubscribed$/m);
    const back = await fetch(url, { method: 'POST', body: new URLSearchParams({ action: 'resubscribe' }) });
    expect(await back.text()).toContain('You are subscribed again');
    expect(await entries()).toEqual([]);
    expect((await system.runs.get(run)).outcomes.unsubscribed).toBe(0);

    const boundary = new FormData();
    boundary.set('List-Unsubscribe', 'One-Click');
    expect((await fetch(url, { method: 'POST', body: boundary })).status).toBe(200);
    expect(await entries()).toHaveLength(1);
  });

  it('gets a friendly page for a link that is not ours, and nothing happens', async () => {
    const { system } = await setup(3);
    const run = await system.startRun();
    await system.whenFinished(run);
    const url = ((await system.mailTo('reader1@example.com'))?.headers['List-Unsubscribe'] ?? '').slice(
      1,
      -1,
    );
    const last = url.at(-1) === 'A' ? 'B' : 'A';
    for (const wrong of [
      `${url.slice(0, -1)}${last}`,
      `${url}x`,
      `${system.publicUrl}/u/x`,
      `${url.slice(0, 60)}`,
    ]) {
      const response = await oneClick(wrong);
      expect(response.status).toBe(404);
      expect(await response.text()).toContain('This link does not work');
    }
    expect((await fetch(url, { method: 'POST', body: 'nonsense' })).status).toBe(400);
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(10_000) })).status).toBe(413);
  });
});

describe('sendonce suppress', () => {
  it('adds, lists, removes, and imports a file and the list of SES', async () => {
    const { sendonce, system } = await setup(3);
    expect(await sendonce('suppress', 'add', 'Jane@Example.com', '--campaign', 'news')).toMatchObject({
      code: 0,
    });
    expect((await sendonce('suppress', 'list')).out).toMatch(/^jane@example.com,news,manual,\d{4}-.*,$/m);
    expect((await sendonce('suppress', 'remove', 'jane@example.com')).code).toBe(2);
    expect((await sendonce('suppress', 'remove', 'jane@example.com', '--campaign', 'news')).code).toBe(0);
    expect((await sendonce('suppress', 'add', 'nonsense')).code).toBe(2);

    const file = join(mkdtempSync(join(tmpdir(), 'sendonce-import-')), 'list.csv');
    writeFileSync(
      file,
      'address,reason\na@example.com,complaint\nnonsense,\na@example.com,bounce\nb@example.com,\n',
    );
    expect(await sendonce('suppress', 'import', `${file}.gone`)).toMatchObject({ code: 2 });
    const other = await sendonce('suppress', 'import', file, '--column', 'email');
    expect(other).toMatchObject({ code: 2 });
    expect(other.err).toContain('expected a header with the column "email"');
    const imported = await sendonce('suppress', 'import', file);
    expect(imported).toMatchObject({ code: 1 });
    expect(imported.out).toContain('2 added, 1 were there already, 1 invalid.');
    expect(imported.err).toContain('line 3:');
    expect(imported.out + imported.err).not.toContain('a@example.com');

    await fetch(`${system.sesUrl}/control/suppressed`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Array.from({ length: 1_500 }, (_, n) => `s${n}@example.com`)),
    });
    expect((await sendonce('suppress', 'import', '--from-ses')).out).toContain('1,500 added');
    const list = (await sendonce('suppress', 'list')).out;
    expect(list.trim().split('\n')).toHaveLength(1 + 1_502);
    expect(list).toContain('s1499@example.com,*,ses,2026-01-01T00:00:00.000Z,');
    const again = join(file, '..', 'again.csv');
    writeFileSync(again, list);
    expect((await sendonce('suppress', 'import', again)).out).toContain('0 added, 1,502 were there already');
  });
});
