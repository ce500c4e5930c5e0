/** What a mail is made of: HTML out of MJML, the text out of that, attachments and pictures, for everybody the same files. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCampaignDir, makeCsv } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { System } from './system.js';

const MJML = `<mjml>
  <mj-head><mj-style inline="inline">.name { color: #123456 }</mj-style></mj-head>
  <mj-body><mj-section><mj-column>
    <mj-image src="logo.png" alt="Dif" />
    <mj-text>Hi <b class="name">{{ first_name }}</b>, <a href="https://www.dif.io/news?a=1&amp;b=2">the news</a>.</mj-text>
    <mj-text>{% if first_name contains "3" %}You are the third.{% endif %} <a href="{{ unsubscribe_url }}">Leave</a></mj-text>
  </mj-column></mj-section></mj-body>
</mjml>`;
const LOGO = Buffer.from('89504e470d0a1a0a', 'hex');
/** Bytes that no text has, and more of them than a socket takes at once. */
const TERMS = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));

interface Part {
  FileName: string;
  ContentType: string;
  ContentDisposition: string;
  ContentId?: string;
  RawContent: string;
}

interface MailRequest {
  request: {
    Content: {
      Simple: { Attachments: Part[]; Body: { Text: { Data: string }; Html: { Data: string } } };
    };
  };
}

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function setup(recipients: number) {
  const campaignsDir = makeCampaignDir({
    body: null,
    mjml: MJML,
    settings:
      'attachments: [{ file: terms.pdf, name: Terms 2026.pdf }]\nlinks: { prefix: /daily/, hosts: [www.dif.io] }\n',
    csv: makeCsv(recipients),
    files: { 'logo.png': LOGO, 'terms.pdf': TERMS },
  });
  const system = await System.start({ campaignsDir });
  cleanups.push(() => system.stop());
  const mailTo = async (recipient: string) => {
    const { messageId = '' } = (await system.mailTo(recipient)) ?? {};
    const mail = (await (await fetch(`${system.sesUrl}/messages/${messageId}`)).json()) as MailRequest;
    const { Attachments, Body } = mail.request.Content.Simple;
    return { attachments: Attachments, html: Body.Html.Data, text: Body.Text.Data };
  };
  return { folder: join(campaignsDir, 'news'), mailTo, system };
}

it('everybody gets the parts of a mail as they were when the run was created, and a preview and a test mail have them, too', async () => {
  // Two chunks; the files change after the run was created and before anything is sent.
  const { folder, mailTo, system } = await setup(600);
  const preview = await system.sendonce('preview', 'news');
  expect(preview.out).toContain('--- application/pdf, 100.0 kB --- Terms 2026.pdf');
  expect(preview.out).toMatch(/--- image\/png, 8 bytes --- logo\.png, shown as cid:/);
  expect(await system.sendonce('test-send', 'news', '--to', 'me@example.com')).toMatchObject({ code: 0 });
  const test = await mailTo('me@example.com');
  expect(test.attachments.map(({ FileName }) => FileName)).toEqual(['Terms 2026.pdf', 'logo.png']);

  const run = await system.startRun();
  writeFileSync(join(folder, 'terms.pdf'), 'something else');
  rmSync(join(folder, 'logo.png'));
  writeFileSync(join(folder, 'body.mjml'), 'something else');
  system.spawn('worker');
  const { numbers } = await system.whenFinished(run);
  expect(numbers.sent).toBe(600);

  for (const number of [3, 599]) {
    const { attachments, html, text } = await mailTo(`reader${number}@example.com`);
    expect(html).toContain(`<b class="name" style="color: #123456;">Reader ${number}</b>`);
    expect(html).toContain('href="https://www.dif.io/daily/?/news?a&#61;1&#38;b&#61;2"');
    expect(html).not.toMatch(/<mj-|\{\{|\{%/);
    expect(text).toContain(`Hi Reader ${number}, the news (https://www.dif.io/daily/?/news?a=1&b=2).`);
    expect(text.includes('You are the third.')).toBe(number === 3);
    expect(text).toMatch(/Leave \(http\S+\/u\/\S+\)/);
    const [terms, logo] = attachments;
    expect(terms).toMatchObject({
      FileName: 'Terms 2026.pdf',
      ContentType: 'application/pdf',
      ContentDisposition: 'ATTACHMENT',
    });
    expect(Buffer.from(terms?.RawContent ?? '', 'base64').equals(TERMS)).toBe(true);
    expect(logo).toMatchObject({ ContentType: 'image/png', ContentDisposition: 'INLINE' });
    expect(Buffer.from(logo?.RawContent ?? '', 'base64').equals(LOGO)).toBe(true);
    expect(html).toContain(`src="cid:${logo?.ContentId}"`);
  }
});
