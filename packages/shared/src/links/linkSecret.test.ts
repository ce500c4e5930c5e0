import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLinkObstacle, openUnsubscribeLinks } from '../suppression/unsubscribeLinks.js';
import { openTestRedis, type TestRedis } from '../testing/index.js';
import { readLinkSecrets } from './linkSecret.js';

let test: TestRedis;
beforeAll(async () => {
  test = await openTestRedis();
});
afterAll(() => test.close());

const LINK_SECRET = 'x'.repeat(32);
const claim = { address: 'Jane@example.com', campaign: 'news' };

describe('the secret of the links', () => {
  it('is made once, for all processes, when none is set', async () => {
    const [first, second] = await Promise.all([readLinkSecrets(test, {}), readLinkSecrets(test, {})]);
    expect(first).toEqual(second);
    expect(first[0]?.length).toBeGreaterThanOrEqual(43);
  });

  it('that is set makes links, and those that went out before are still read', async () => {
    const links = (settings: { linkSecret?: string; previousLinkSecret?: string }) =>
      openUnsubscribeLinks(test, { ...settings, url: 'https://example.com/mail/' });
    const before = (await links({})).urlFor(claim);
    const after = await links({ linkSecret: LINK_SECRET });
    const rotated = await links({ linkSecret: 'y'.repeat(32), previousLinkSecret: LINK_SECRET });
    const token = (url: string) => url.replace('https://example.com/mail/u/', '');
    for (const url of [before, after.urlFor(claim), rotated.urlFor(claim)])
      expect(rotated.read(token(url)), url).toEqual({ address: 'jane@example.com', campaign: 'news' });
    expect(after.urlFor(claim)).not.toBe(before);
  });
});

it.each([
  ['http://127.0.0.1:3001', true, false],
  ['http://127.0.0.1:3001', false, true],
  ['https://mail.example.com', false, false],
])('links to %s with a local SES: %s', (url, isLocal, isObstacle) => {
  const settings = { ses: { isLocal }, public: { url } } as Parameters<typeof findLinkObstacle>[0];
  expect(findLinkObstacle(settings)?.includes(url) ?? false).toBe(isObstacle);
});
