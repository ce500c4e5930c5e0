import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMailbox, parseRecipientAddress } from './index.js';

describe("a recipient's address", () => {
  test.each([
    ['jane@example.com', 'jane@example.com', 'jane@example.com'],
    ['  Jane.Doe@EXAMPLE.Com\t', 'Jane.Doe@example.com', 'jane.doe@example.com'],
    ['jane+tag@sub.example.co.uk', 'jane+tag@sub.example.co.uk', 'jane+tag@sub.example.co.uk'],
    ["o'neil_{x}~@example.org", "o'neil_{x}~@example.org", "o'neil_{x}~@example.org"],
    ['jane@Bücher.example', 'jane@xn--bcher-kva.example', 'jane@xn--bcher-kva.example'],
    ['jane@例え.テスト', 'jane@xn--r8jz45g.xn--zckzah', 'jane@xn--r8jz45g.xn--zckzah'],
    ['Jane Doe <Jane@example.com>', 'Jane@example.com', 'jane@example.com'],
    ['"Doe, Jane" <jane@example.com>', 'jane@example.com', 'jane@example.com'],
    ['<jane@example.com>', 'jane@example.com', 'jane@example.com'],
    [
      `${'a'.repeat(64)}@${'b'.repeat(63)}.com`,
      `${'a'.repeat(64)}@${'b'.repeat(63)}.com`,
      `${'a'.repeat(64)}@${'b'.repeat(63)}.com`,
    ],
  ])('%j is written %j and compared as %j', (text, address, key) => {
    expect(parseRecipientAddress(text)).toEqual({ address, key });
  });

  test.each([
    ['', 'the address is empty'],
    ['   ', 'the address is empty'],
    ['jane', 'the address has no local part or no domain'],
    ['@example.com', 'the address has no local part or no domain'],
    ['jane@', 'the address has no local part or no domain'],
    ['jane@localhost', 'the address is malformed'],
    ['jane@127.0.0.1', 'the address is malformed'],
    ['jane@[::1]', 'the address is malformed'],
    ['jane@１２７.0.0.1', 'the address is malformed'],
    ['jane doe@example.com', 'the address is malformed'],
    ['.jane@example.com', 'the address is malformed'],
    ['jane.@example.com', 'the address is malformed'],
    ['ja..ne@example.com', 'the address is malformed'],
    ['jane@exam..ple.com', 'the address is malformed'],
    ['jane@-example.com', 'the address is malformed'],
    ['jane@ex_ample.com', 'the address is malformed'],
    ['jane@ex%41mple.com', 'the address is malformed'],
    ['jane@é%41.com', 'the address is malformed'],
    ['jane@example.com:25', 'the address is malformed'],
    ['jane@example.com, joe@example.com', 'the address is malformed'],
    ['jane@@example.com', 'the address is malformed'],
    ['jane@exa mple.com', 'the address is malformed'],
    ['a@b.com <', 'the address is malformed'],
    ['<jane@example.com', 'the address is malformed'],
    ['Jane <jane@example.com> Doe', 'the address is malformed'],
    ['a <jane@example.com>, b <joe@example.com>', 'the address is malformed'],
    ['jane@example.com\r\nBcc: joe@example.com', 'the address has a control character'],
    ['jane\u0000@example.com', 'the address has a control character'],
    ['jürgen@example.com', 'the local part has characters outside of ASCII, which SES does not take'],
    [`${'a'.repeat(65)}@example.com`, 'the local part is longer than 64 characters'],
    [`a@${'b'.repeat(60)}.${'c'.repeat(190)}.com`, 'the address is longer than 254 characters'],
  ])('%j is invalid: %s', (text, invalid) => {
    expect(parseRecipientAddress(text)).toEqual({ invalid });
  });

  test('comes through a second time as it is, whatever was given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string(), fc.string({ unit: 'binary' })), (text) => {
        const once = parseRecipientAddress(text);
        if ('invalid' in once) return;
        expect(once.key).toBe(once.address.toLowerCase());
        expect(once.address).toMatch(/^[\x21-\x7e]+@[a-z0-9.-]+$/);
        expect(parseRecipientAddress(once.address)).toEqual(once);
      }),
    );
  });
});

describe('no address can start another header', () => {
  test('whatever stands before the domain', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseRecipientAddress(`${text}@example.com`);
        if ('address' in parsed) expect(parsed.address).toMatch(/^[\x21-\x7e]+@[a-z0-9.-]+$/);
        else if (text.length > 3) expect(parsed.invalid).not.toContain(text);
      }),
    );
  });
});

describe('a mailbox', () => {
  test.each([
    ['jane@example.com', { address: 'jane@example.com', formatted: 'jane@example.com' }],
    [
      'Jane Doe <jane@Example.com>',
      { name: 'Jane Doe', address: 'jane@example.com', formatted: 'Jane Doe <jane@example.com>' },
    ],
    [
      '"Doe, Jane" <jane@example.com>',
      { name: 'Doe, Jane', address: 'jane@example.com', formatted: '"Doe, Jane" <jane@example.com>' },
    ],
    [
      'Jürgen <j@example.com>',
      {
        name: 'Jürgen',
        address: 'j@example.com',
        formatted: '=?UTF-8?Q?J=C3=BCrgen?= <j@example.com>',
      },
    ],
  ])('%j has a name, an address and a form for headers', (text, mailbox) => {
    expect(parseMailbox(text)).toEqual(mailbox);
  });

  test.each([
    '',
    'Jane',
    'Jane <jane>',
    'jane@example.com, joe@example.com',
    'Jane\nBcc: x@example.com <jane@example.com>',
    'friends: jane@example.com, joe@example.com;',
  ])('%j is none', (text) => {
    expect(parseMailbox(text)).toBeUndefined();
  });
});
