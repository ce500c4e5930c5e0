import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMailbox, parseRecipientAddress } from './address.js';
import { AddressSet } from './addressSet.js';

describe("a recipient's address", () => {
  it.each([
    ['jane@example.com', 'jane@example.com'],
    [' Jane.Doe+tag@EXAMPLE.Com ', 'Jane.Doe+tag@example.com'],
    ['Jane Doe <jane@example.com>', 'jane@example.com'],
    ['"Doe, Jane" <jane@example.com>', 'jane@example.com'],
    ['jane@bücher.example', 'jane@xn--bcher-kva.example'],
    ["o'brien@example.org", "o'brien@example.org"],
  ])('%s goes out as %s', (given, address) => {
    expect(parseRecipientAddress(given)).toEqual({ address, key: address.toLowerCase() });
  });

  it.each([
    '',
    'jane',
    '@example.com',
    'jane@',
    'jane@example',
    'jane@@example.com',
    'jane@example..com',
    '.jane@example.com',
    'jane.@example.com',
    'ja ne@example.com',
    'jane@exa mple.com',
    'jänё@example.com',
    'jane@example.com\r\nBcc: x@example.com',
    `${'x'.repeat(65)}@example.com`,
    `jane@${'x'.repeat(250)}.com`,
    'jane@example.com, joe@example.com',
    'a@b.com <',
    '<jane@example.com',
    'jane@1.2.3.4',
  ])('%j is refused, and the reason does not repeat it', (given) => {
    const parsed = parseRecipientAddress(given);
    expect(parsed).toHaveProperty('invalid');
    if (given.length > 3) expect(JSON.stringify(parsed)).not.toContain(given);
  });

  it('never lets anything through that could start another header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseRecipientAddress(`${text}@example.com`);
        if ('address' in parsed) expect(parsed.address).toMatch(/^[\x21-\x7e]+@[a-z0-9.-]+$/);
      }),
    );
  });
});

describe('a mailbox', () => {
  it.each([
    ['Dif <updates@dif.io>', 'Dif <updates@dif.io>'],
    ['updates@dif.io', 'updates@dif.io'],
    ['"Dif, Inc." <updates@dif.io>', '"Dif, Inc." <updates@dif.io>'],
    ['Jürgen <j@dif.io>', '=?UTF-8?Q?J=C3=BCrgen?= <j@dif.io>'],
  ])('%s is written as %s', (given, formatted) => {
    expect(parseMailbox(given)?.formatted).toBe(formatted);
  });

  it.each(['nobody', 'a@b.io, c@d.io', 'x <a@b.io>\nBcc: c@d.io'])('%j is none', (given) => {
    expect(parseMailbox(given)).toBeUndefined();
  });
});

describe('a set of addresses', () => {
  it('knows what a Set knows', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 4 }), { maxLength: 3_000 }), (keys) => {
        const ours = new AddressSet();
        const theirs = new Set<string>();
        for (const key of keys) {
          expect(ours.has(key)).toBe(theirs.has(key));
          expect(ours.add(key)).toBe(!theirs.has(key));
          theirs.add(key);
        }
        expect(ours.size).toBe(theirs.size);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps 100,000 apart', () => {
    const set = new AddressSet();
    for (let n = 0; n < 100_000; n++) set.add(`reader${n}@example.com`);
    expect(set.size).toBe(100_000);
    expect(set.has('reader99999@example.com')).toBe(true);
    expect(set.has('reader100000@example.com')).toBe(false);
  });
});
