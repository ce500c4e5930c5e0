/** The preview of a campaign with everything that a mail may have. */
import { makeCampaignDir } from '@sendonce/shared/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Browser, type Dashboard, loggedIn, openDashboard } from '../testing/setup.js';

const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

let dashboard: Dashboard;
let viewer: Browser;
beforeAll(async () => {
  const campaignsDir = makeCampaignDir({
    html: '<style>p { color: red }</style><p>Hi {{ first_name }}</p><img src="logo.png">',
    settings: 'attachments: [{ file: terms.txt, name: "<b>.txt" }]\n',
    files: { 'logo.png': PNG, 'terms.txt': 'Terms' },
  });
  dashboard = await openDashboard({}, {}, campaignsDir);
  viewer = await loggedIn(dashboard.url, 'vera');
});
afterAll(() => dashboard.close());

it('lists attachments with their sizes, and shows the HTML with its pictures, under a policy that loads nothing', async () => {
  const page = await (await viewer.fetch('/campaigns/news')).text();
  expect(page.replace(/<[^>]+>/g, '')).toContain('&#60;b&#62;.txt text/plain; charset=utf-8, 5 bytes');
  expect(page).toContain('image/png, 8 bytes, shown in the HTML');
  const response = await viewer.fetch('/campaigns/news/preview.html?row=2');
  expect(await response.text()).toBe(
    `<p style="color: red;">Hi Reader 1</p><img src="data:image/png;base64,${PNG.toString('base64')}">`,
  );
  expect(response.headers.get('content-security-policy')).toMatch(
    /default-src 'none'.*img-src data:; sandbox/,
  );
});
