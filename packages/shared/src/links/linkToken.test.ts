import { expect, it } from 'vitest';
import { LinkTokens } from './linkToken.js';

const SECRET = 'x'.repeat(32);
const origin = { scheduledAt: new Date('2026-11-24T10:00:00Z'), chunk: 70_000, position: 499 };

it('a token leads back to the mail that it was in, in its campaign only', () => {
  const tokens = new LinkTokens([SECRET]);
  const token = tokens.make('news', origin);
  expect(token).toMatch(/^[\w-]{24}$/);
  expect(tokens.read('news', token)).toEqual(origin);
  expect(tokens.read('other', token)).toBeUndefined();
});

it('no changed, cut, or foreign token is read', () => {
  const tokens = new LinkTokens([SECRET]);
  const token = tokens.make('news', origin);
  for (let n = 0; n < token.length; n++) {
    const changed = `${token.slice(0, n)}${token[n] === 'A' ? 'B' : 'A'}${token.slice(n + 1)}`;
    expect(tokens.read('news', changed), changed).toBeUndefined();
  }
  for (const text of ['', token.slice(1), `${token}A`, new LinkTokens(['y'.repeat(32)]).make('news', origin)])
    expect(tokens.read('news', text)).toBeUndefined();
});

it('a token of the secret before this one is still read', () => {
  const token = new LinkTokens([SECRET]).make('news', origin);
  expect(new LinkTokens(['y'.repeat(32), SECRET]).read('news', token)).toEqual(origin);
});
