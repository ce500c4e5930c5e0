/**
 * `npm run screenshots`: the pictures of the docs, from a dashboard with a run under way, one that has ended with failures
 * and clicks, and one in doubt. All of it is sent by real workers to the local SES.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import { chromium, type Page } from 'playwright-core';
import { CHROMIUM_ARGUMENTS, findChromium } from '../browser/findChromium.js';
import { PASSWORD, System } from '../e2e/system.js';

const OUT = process.argv[2] ?? join('docs', 'images');
const SIZE = { width: 1280, height: 860 };
const READER = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const executablePath = findChromium();
if (!executablePath) {
  process.stderr.write('There is no Chromium on this machine: apt install chromium, or set CHROMIUM_PATH.\n');
  process.exit(2);
}
mkdirSync(OUT, { recursive: true });
const system = await System.start({ campaignsDir: makeCampaigns(), env: { FENCE_SECONDS: '30' } });
const runs = await seed(system);
const browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGUMENTS });
const page = await browser.newPage({ viewport: SIZE, colorScheme: 'light', timezoneId: 'Europe/Berlin' });
await logIn(page);
const pages: [name: string, path: string][] = [
  ['dashboard', '/'],
  ['run', `/runs/${runs.ended}`],
  ['campaign', '/campaigns/daily-notification'],
  ['in-doubt', `/runs/${runs.doubtful}/in-doubt`],
  ['queues', '/queues/queue/sends?status=completed'],
];
for (const [name, path] of pages) await shoot(page, name, path);
await browser.close();
await system.stop();
process.exit(0);

function makeCampaigns(): string {
  const body =
    'Hi {{ first_name }},\n\nhaml 3.1.2 is out:\nhttps://www.dif.io/updates/haml-3.1.2/\n\nAll that you follow:\nhttps://www.dif.io/following/\n\n{{ unsubscribe_url }}\n';
  const links = 'links: { prefix: /PREFIX/, hosts: [www.dif.io] }\n';
  const campaign = (id: string, name: string, cron: string, settings = '') => ({
    id,
    body,
    csv: makeCsv(5_000),
    settings: `name: ${name}\nschedule: { cron: "${cron}", timezone: Europe/Berlin }\n${links.replace('PREFIX', id)}${settings}`,
  });
  return makeCampaignDir(
    campaign('daily-notification', 'Daily notification', '0 10 * * *'),
    campaign('monthly-reminder', 'Monthly reminder', '0 9 1 * *'),
    campaign('weekly-digest', 'Weekly digest', '30 8 * * MON'),
  );
}

async function seed(on: System): Promise<{ ended: string; doubtful: string }> {
  await on.startDashboard();
  on.spawn('scheduler');
  const fast = on.spawn('worker', { SES_MAX_RATE: '900' });
  await on.setFaults({
    rules: [
      { fault: 'bounce', recipients: ['reader*77@example.com'] },
      { fault: 'bad-request', recipients: ['reader*123@example.com'] },
    ],
  });
  const ended = await on.startRun('daily-notification', new Date('2026-11-23T09:00:00Z'));
  await on.whenFinished(ended);
  await click(on, 140);
  await on.setFaults({ rules: [{ fault: 'refuse-then-reset', recipients: ['reader40*@example.com'] }] });
  const doubtful = await on.startRun('weekly-digest', new Date('2026-11-23T07:30:00Z'));
  await waitFor(
    'the doubts',
    async () => ((await on.runs.find(doubtful))?.numbers.in_doubt ?? 0) >= 10,
    60_000,
  );
  await on.setFaults({ rules: [] });
  await on.kill(fast, 'SIGTERM');
  on.spawn('worker', { SES_MAX_RATE: '150' });
  on.spawn('worker', { SES_MAX_RATE: '150' });
  const sending = await on.startRun('monthly-reminder', new Date());
  const sent = async () => (await on.runs.find(sending))?.numbers.sent ?? 0;
  await waitFor('a run under way', async () => (await sent()) > 1_200, 90_000);
  return { ended, doubtful };
}

/** Readers, each from an address of their own. */
async function click(on: System, readers: number): Promise<void> {
  for (let n = 0; n < readers; n++)
    await fetch(`${on.publicUrl}/daily-notification/?/${n % 3 ? 'updates/haml-3.1.2/' : 'following/'}`, {
      redirect: 'manual',
      headers: { 'user-agent': READER, 'x-forwarded-for': `198.51.100.${n}` },
    });
}

async function logIn(on: Page): Promise<void> {
  await on.goto(system.dashboardUrl);
  await on.getByLabel('Name').fill('admin');
  await on.getByLabel('Password').fill(PASSWORD);
  await on.getByRole('button', { name: 'Log in' }).click();
  await on.getByRole('heading', { name: 'Overview' }).waitFor();
}

async function shoot(on: Page, name: string, path: string): Promise<void> {
  await on.goto(system.dashboardUrl + path);
  await on.waitForTimeout(1_500);
  await on.screenshot({ path: join(OUT, `${name}.png`), fullPage: false });
  process.stdout.write(`${join(OUT, `${name}.png`)}\n`);
}
