import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineTooLongError, toPlainText } from './plainText.js';

test('lines end with CRLF, however they ended', () => {
  expect(toPlainText('a\nb\r\nc\rd\n\n')).toBe('a\r\nb\r\nc\r\nd\r\n\r\n');
});

test("authors' lines stay as they are up to 998 octets", () => {
  for (const line of ['x'.repeat(998), `${'ab '.repeat(332)}ab`, 'é'.repeat(499), '日'.repeat(332)])
    expect(toPlainText(line)).toBe(line);
});

test('a longer line is folded at white space, and a long link stays in one piece', () => {
  const link = `https://example.com/?q=${'x'.repeat(900)}`;
  expect(toPlainText(`${'word '.repeat(100)}${link} end`)).toBe(
    `${'word '.repeat(100).trimEnd()}\r\n${link} end`,
  );
});

test('a word of more than 998 octets is an error', () => {
  expect(() => toPlainText('日'.repeat(333))).toThrow(LineTooLongError);
});

test('no line is ever too long, and no word is lost or broken', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'é', '日', '🚀'), minLength: 1, maxLength: 240 });
  const text = fc.array(fc.tuple(word, fc.constantFrom(' ', '\t', '\n', '  ')), { maxLength: 60 });
  fc.assert(
    fc.property(text, (pairs) => {
      const plain = toPlainText(pairs.flat().join(''));
      for (const line of plain.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
      expect(plain.split(/\s+/).filter(Boolean)).toEqual(pairs.map(([each]) => each));
    }),
  );
});
