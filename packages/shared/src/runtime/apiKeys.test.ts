import { describe, expect, it } from 'vitest';
import { API_SCOPES, findApiKey, makeApiKey, parseApiKeys } from './apiKeys.js';
import { readSettings } from './settings.js';

describe('the keys of the API', () => {
  it('are made, written into a setting, and found again by the key alone', () => {
    const shop = makeApiKey('shop', ['read', 'runs']);
    const crm = makeApiKey('crm', API_SCOPES);
    const { apiKeys } = readSettings({
      REDIS_URL: 'redis://127.0.0.1',
      API_KEYS: `${shop.entry}, ${crm.entry}`,
    });
    expect(shop.entry).toMatch(/^shop:read\+runs:[\da-f]{64}$/);
    expect(findApiKey(apiKeys, shop.key)).toMatchObject({ name: 'shop', scopes: ['read', 'runs'] });
    expect(findApiKey(apiKeys, crm.key)).toMatchObject({ name: 'crm' });
    expect(findApiKey(apiKeys, makeApiKey('shop', ['read']).key)).toBeUndefined();
    expect(findApiKey(apiKeys, apiKeys[0]?.hash ?? '')).toBeUndefined();
    expect(findApiKey([], shop.key)).toBeUndefined();
  });

  it('may be two under one name, while an old one is changed for a new one', () => {
    const entries = [makeApiKey('shop', ['read']), makeApiKey('shop', ['read', 'runs'])];
    const { keys } = parseApiKeys(entries.map(({ entry }) => entry).join(' '));
    expect(entries.map(({ key }) => findApiKey(keys, key)?.name)).toEqual(['shop', 'shop']);
  });

  it.each([
    ['a key in the place of its entry', makeApiKey('x', ['read']).key],
    ['a key in the place of its hash', `shop:read:${makeApiKey('x', ['read']).key}`],
    ['a scope that is none', `shop:read+write:${'0'.repeat(64)}`],
    ['no scope', `shop::${'0'.repeat(64)}`],
    ['a name with an address in it', `a@b:read:${'0'.repeat(64)}`],
    ['a part too many', `shop:read:${'0'.repeat(64)}:x`],
  ])('are refused with %s, without repeating it', (_, entry) => {
    const { keys, problems } = parseApiKeys(`${makeApiKey('good', ['read']).entry},${entry}`);
    expect(keys).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/^entry 2: expected /)]);
    expect(problems.join()).not.toContain(entry);
    expect(() => readSettings({ REDIS_URL: 'redis://127.0.0.1', API_KEYS: entry })).toThrow(
      'API_KEYS: entry 1: expected',
    );
  });
});
