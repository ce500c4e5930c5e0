import { expect, test } from 'vitest';
import { makeMail, setup } from './testing/setup.js';

const EVIL = '<script>alert("&\'")</script>';

async function page(url: string) {
  const response = await fetch(url);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

test('an empty inbox says what will appear', async () => {
  const { sesLocal } = await setup();
  const { text } = await page(sesLocal.url);
  expect(text).toContain('No mail yet');
});

test('the inbox tells messages, recipients and duplicates in one sentence', async () => {
  const { sesLocal, send } = await setup();
  await send(makeMail(1));
  await send(makeMail(2));
  const sentence = async () => (await page(sesLocal.url)).text.replace(/<[^>]+>/g, '');
  expect(await sentence()).toContain('2 messages, 2 recipients, 0 duplicates');
  await send(makeMail(2));
  expect(await sentence()).toContain('3 messages, 2 recipients, 1 duplicate');
  expect((await page(sesLocal.url)).text).toContain('class="verdict bad"');
});

test('nothing of a mail gets into a page as markup', async () => {
  const { sesLocal, send } = await setup();
  const { MessageId } = await send({
    Destination: { ToAddresses: [`"${EVIL.replace(/"/g, '')}" <jane@example.com>`] },
    Content: {
      Simple: {
        Subject: { Data: EVIL },
        Body: { Text: { Data: EVIL }, Html: { Data: EVIL } },
        Headers: [{ Name: 'X-Evil', Value: EVIL }],
      },
    },
  });
  for (const path of [
    '/',
    `/?q=${encodeURIComponent(EVIL)}`,
    `/?run=${encodeURIComponent(EVIL)}`,
    `/mails/${MessageId}`,
  ]) {
    const { text, headers } = await page(`${sesLocal.url}${path}`);
    expect(text).not.toContain('<script');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});

test('an HTML part is shown in a frame that may not do anything', async () => {
  const { sesLocal, send } = await setup();
  const Body = { Html: { Data: '<b>Hi</b>' } };
  const { MessageId } = await send({ Content: { Simple: { Subject: { Data: 'x' }, Body } } });
  expect((await page(`${sesLocal.url}/mails/${MessageId}`)).text).toMatch(/<iframe [^>]*\bsandbox /);
  const { text, headers } = await page(`${sesLocal.url}/mails/${MessageId}/html`);
  expect(text).toBe('<b>Hi</b>');
  expect(headers.get('content-security-policy')).toMatch(/sandbox$/);
});

test('attachments are listed, can be saved, and pictures are shown in the HTML', async () => {
  const { sesLocal, send } = await setup();
  const picture = Buffer.from([137, 80, 78, 71, 200]);
  const { MessageId } = await send({
    Content: {
      Simple: {
        Subject: { Data: 'x' },
        Body: { Html: { Data: '<img src="cid:logo"><img src="cid:page">' } },
        Attachments: [
          {
            FileName: 'logo.png',
            ContentType: 'image/png',
            ContentDisposition: 'INLINE',
            ContentId: 'logo',
            ContentTransferEncoding: 'BASE64',
            RawContent: picture,
          },
          {
            FileName: 'a<b>.html',
            ContentType: 'text/html',
            ContentId: 'page',
            RawContent: Buffer.from(EVIL),
          },
        ],
      },
    },
  });
  const { text } = await page(`${sesLocal.url}/mails/${MessageId}`);
  expect(text).toContain('Attachments (2)');
  expect(text).toContain('5 bytes · image/png · shown as cid:logo');
  expect(text).toContain('a&#60;b&#62;.html');
  expect(text).not.toContain('<script');
  const saved = await fetch(`${sesLocal.url}/mails/${MessageId}/attachments/0`);
  expect(Buffer.from(await saved.arrayBuffer())).toEqual(picture);
  const { headers } = await page(`${sesLocal.url}/mails/${MessageId}/attachments/1`);
  expect(headers.get('content-type')).toBe('application/octet-stream');
  expect(headers.get('content-disposition')).toMatch(/^attachment; filename="a<b>\.html"/);
  expect((await page(`${sesLocal.url}/mails/${MessageId}/attachments/2`)).status).toBe(404);
  expect((await page(`${sesLocal.url}/mails/${MessageId}/html`)).text).toBe(
    `<img src="data:image/png;base64,${picture.toString('base64')}"><img src="cid:page">`,
  );
});

test('the inbox finds by part of an address and by run, and turns pages', async () => {
  const { sesLocal, send } = await setup();
  for (let position = 0; position < 60; position++)
    await send(makeMail(position, position < 55 ? 'one' : 'two'));
  const rows = async (query: string) =>
    (await page(`${sesLocal.url}/${query}`)).text.match(/<td class="to">[^<]+/g)?.length ?? 0;
  expect(await rows('')).toBe(50);
  expect(await rows('?skip=50')).toBe(10);
  expect(await rows('?q=USER7@')).toBe(1);
  expect(await rows('?run=two')).toBe(5);
  expect(await rows('?q=nobody')).toBe(0);
  expect((await page(sesLocal.url)).text).toContain('href="/?skip=50"');
});

test('a mail that is not there is 404', async () => {
  const { sesLocal } = await setup();
  expect((await page(`${sesLocal.url}/mails/nope`)).status).toBe(404);
  expect((await page(`${sesLocal.url}/nothing`)).status).toBe(404);
});
