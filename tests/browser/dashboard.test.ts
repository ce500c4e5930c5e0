/** The dashboard as operators use it, in a real browser, on a real installation. */
import type { ChildProcess } from 'node:child_process';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { everyone, PASSWORD, System } from '../e2e/system.js';
import { describeInBrowser } from './chromium.js';

/** hashed by `sendonce password`. */
let viewerHash: string;

let system: System;
let dashboard: ChildProcess;
beforeAll(async () => {
  const setUp = await System.start({ campaignsDir: makeCampaignDir({}) });
  viewerHash = (await setUp.sendonceWithInput('correct horse\n', 'password')).out.trim();
  await setUp.stop();
  system = await System.start({
    campaignsDir: makeCampaignDir(
      { csv: makeCsv(5_000), settings: 'schedule: { cron: 0 10 * * *, timezone: Asia/Tokyo }\n' },
      { id: 'doubtful', csv: makeCsv(600) },
    ),
    env: { SES_MAX_RATE: '700', DASHBOARD_USERS: `vera:viewer:${viewerHash}` },
  });
  dashboard = await system.startDashboard();
  system.spawn('scheduler');
  system.spawn('worker');
});
afterAll(() => system?.stop());

async function logIn(page: Page, name = 'admin'): Promise<void> {
  await page.goto(system.dashboardUrl);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
}

/** What a page's scripts complained of, a refusal by its policy included. */
function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  return complaints;
}

describeInBrowser('an operator', (openBrowser) => {
  it('starts a run, watches it go to 100% without reloading, pauses and resumes it, and finds a recipient', async () => {
    const page = await (await openBrowser()).newPage({ timezoneId: 'America/New_York' });
    const complaints = complaintsOf(page);
    await logIn(page);
    await page.getByRole('link', { name: 'Campaigns' }).click();
    await page.getByRole('link', { name: 'news', exact: true }).click();
    expect(await page.getByText('r…@example.com').count()).toBe(1);
    expect(await page.locator('#schedule').textContent()).toMatch(/20:00 \(.*10:00 Asia\/Tokyo\)/);
    await page.getByText('Run now…').click();
    await page.getByRole('button', { name: 'Send it now' }).click();
    await page.waitForURL(/\/runs\/news--/);
    const run = new URL(page.url()).pathname.split('/').at(-1) ?? '';
    let loads = 0;
    page.on('load', () => {
      loads += 1;
    });
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('by admin').waitFor();
    const sentWhilePaused = (await system.runs.get(run)).numbers.sent;
    expect(sentWhilePaused).toBeLessThan(5_000);
    expect(loads, 'by the form').toBe(1);
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByText('sending', { exact: true }).waitFor();
    loads = 0;
    await page.locator('.big', { hasText: '100%' }).waitFor({ timeout: 60_000 });
    await page.getByText('5,000 sent = 5,000 ✓ the audience').waitFor();
    expect(loads, 'nothing was reloaded').toBe(0);
    expect(await page.locator('.plot canvas').count()).toBe(1);
    expect(await system.inbox(run)).toEqual(everyone(5_000));

    await page.getByText('Find a recipient…').click();
    await page.getByLabel('Address').fill('READER4321@example.com');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByText('reader4321@example.com').waitFor();
    expect(await page.getByRole('cell', { name: 'accept' }).count()).toBe(1);
    expect(page.url()).not.toContain('reader');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('settles somebody in doubt, looks for the chunk in Bull Board, and comes back', async () => {
    const page = await (await openBrowser()).newPage();
    await system.setFaults({
      rules: [{ fault: 'refuse-then-reset', recipients: ['reader50@example.com', 'reader51@example.com'] }],
    });
    const run = await system.startRun('doubtful');
    await waitFor('the doubts', async () => (await system.runs.find(run))?.numbers.in_doubt === 2, 60_000);
    await system.setFaults({ rules: [] });
    await logIn(page);
    await page.getByRole('link', { name: `2 in doubt in ${run}` }).click();
    expect(await page.getByText('r…@example.com').count()).toBe(2);
    expect(await page.getByText('ECONNRESET').or(page.getByText('reset')).count()).toBeGreaterThan(0);
    await page.getByRole('button', { name: 'Show the addresses' }).click();
    await page.getByText('reader50@example.com').waitFor();
    await page
      .getByRole('row', { name: 'reader50@example.com' })
      .getByRole('button', { name: 'It was sent' })
      .click();
    await page.getByRole('heading', { name: '1 in doubt' }).waitFor();
    const { numbers } = await waitFor('the others', async () => {
      const record = await system.runs.get(run);
      return record.numbers.queued + record.numbers.claimed === 0 ? record : undefined;
    });
    expect(numbers).toMatchObject({ sent: 599, in_doubt: 1 });

    await page.goto(`${system.dashboardUrl}/queues/queue/sends?status=completed`);
    await page.getByText(`send chunk 2 of 2 of ${run}`).waitFor();
    // Bull Board opens it beside itself.
    const opened = page.waitForEvent('popup');
    await page.getByRole('link', { name: 'Run', exact: true }).first().click();
    await (await opened).getByRole('heading', { name: run }).waitFor();
    await page.goto(`${system.dashboardUrl}/audit`);
    await page.getByRole('row', { name: /doubts\.settle/ }).waitFor();
    await page.close();
  });

  it('is told when the connection is lost, and sees the page go on by itself when it is back', async () => {
    const context = await (await openBrowser()).newContext();
    const page = await context.newPage();
    await logIn(page);
    // Its heading is there before its script is: without that a page can say nothing.
    await page.waitForLoadState('load');
    await system.kill(dashboard);
    await page.getByText('The connection is lost').waitFor();
    dashboard = await system.startDashboardPorts();
    await page.locator('#connection').waitFor({ state: 'hidden' });
    await context.close();
  });

  it('reads all of it without scripts', async () => {
    const context = await (await openBrowser()).newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await logIn(page);
    await page.goto(`${system.dashboardUrl}/campaigns/news`);
    expect(await page.locator('#schedule').textContent()).toContain('10:00 Asia/Tokyo');
    await context.close();
  });

  it('can take somebody off the list and import many, with a report', async () => {
    const page = await (await openBrowser()).newPage();
    await logIn(page);
    await page.goto(`${system.dashboardUrl}/suppressions`);
    const csv = 'address,reason\na@example.com,complaint\nnonsense,\nb@example.com,\n';
    await page
      .getByLabel(/CSV/)
      .setInputFiles({ name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
    await page.getByRole('button', { name: 'Import' }).click();
    await page.getByText('2 added, 0 were there already, 1 invalid.').waitFor();
    await page.getByText('line 3:').waitFor();
    await page.getByLabel('Address').first().fill('a@example.com');
    await page.getByRole('button', { name: 'Look up' }).click();
    await page.getByRole('cell', { name: 'complaint' }).waitFor();
    await page.getByRole('button', { name: 'Take off' }).click();
    await page.getByText('It is not on the list.').waitFor();
    await page.close();
  });
});

describeInBrowser('the pages', (openBrowser) => {
  it.each(['light', 'dark'] as const)(
    'have no serious violation of WCAG AA, in %s',
    async (colorScheme) => {
      const context = await (await openBrowser()).newContext({ colorScheme, bypassCSP: true });
      const page = await context.newPage();
      await page.goto(`${system.dashboardUrl}/login`);
      expect(await violations(page), 'login').toEqual([]);
      await logIn(page);
      const [run] = await system.runs.list(1);
      const paths = [
        '/',
        '/campaigns',
        '/campaigns/news',
        '/runs',
        `/runs/${run?.id}`,
        `/runs/${run?.id}/in-doubt`,
        '/suppressions',
        '/audit',
        '/nothing',
        '/api/v1/docs',
      ];
      for (const path of paths) {
        await page.goto(system.dashboardUrl + path);
        expect(await violations(page), path).toEqual([]);
      }
      await context.close();
    },
    300_000,
  );

  it('fit on a phone: nothing but tables is wider than the screen', async () => {
    const context = await (await openBrowser()).newContext({ viewport: { width: 360, height: 740 } });
    const page = await context.newPage();
    await logIn(page);
    const [run] = await system.runs.list(1);
    for (const path of ['/', '/campaigns/news', `/runs/${run?.id}`, '/suppressions']) {
      await page.goto(system.dashboardUrl + path);
      expect(await page.evaluate('document.documentElement.scrollWidth'), path).toBeLessThanOrEqual(360);
    }
    await context.close();
  });

  it('show a viewer everything, without a button that changes something', async () => {
    const page = await (await openBrowser()).newPage();
    await logIn(page, 'vera');
    const [run] = await system.runs.list(1);
    for (const path of [
      '/',
      '/campaigns/news',
      `/runs/${run?.id}`,
      `/runs/${run?.id}/in-doubt`,
      '/suppressions',
      '/audit',
    ]) {
      await page.goto(system.dashboardUrl + path);
      const buttons = await page.getByRole('button').allTextContents();
      expect(
        buttons.filter((name) => name !== 'Log out' && name !== 'Show'),
        path,
      ).toEqual([]);
      expect(await page.content(), path).not.toMatch(/reader\d+@/);
    }
    await page.close();
  });
});

/** Serious and critical ones, with the elements. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = (await page.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })`,
  )) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}
