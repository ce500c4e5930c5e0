import { createCipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRecipientAddress } from '../audience/index.js';
import { MAX_TOKEN_LENGTH, UnsubscribeTokens } from './unsubscribeToken.js';

const SECRET = 'a secret of thirty-two characters';
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const tokens = new UnsubscribeTokens([SECRET]);
const claim = {
  address: 'jane@example.com',
  campaign: 'daily-notification',
  scheduledAt: new Date('2026-11-24T10:00:00Z'),
};
const token = tokens.make(claim);

/** Any address that an audience lets through, as it is compared. */
const addresses = fc
  .emailAddress()
  .map((text) => parseRecipientAddress(text))
  .filter((parsed) => 'key' in parsed)
  .map(({ key }) => key);
const claims = fc.record(
  {
    address: addresses,
    campaign: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/),
    scheduledAt: fc.integer({ min: 1, max: 0xffff_ffff }).map((seconds) => new Date(seconds * 1_000)),
  },
  { requiredKeys: ['address', 'campaign'] },
);

describe('a token', () => {
  it('brings back what it was made of, whoever it is for', () => {
    fc.assert(
      fc.property(claims, (any) => {
        const made = tokens.make(any);
        expect(tokens.read(made)).toEqual(any);
        expect(made).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it('is the same whenever it is made, and another for everybody else', () => {
    expect(new UnsubscribeTokens([SECRET]).make(claim)).toBe(token);
    expect(tokens.make({ ...claim, address: 'joan@example.com' }).slice(0, 20)).not.toBe(token.slice(0, 20));
    expect(tokens.make({ ...claim, campaign: 'weekly' }).slice(0, 20)).not.toBe(token.slice(0, 20));
  });

  it('shows nothing of the address', () => {
    const bytes = Buffer.from(token.slice(1), 'base64url').toString('latin1');
    expect(bytes).not.toMatch(/jane|example|daily/);
  });

  it('is not accepted any more when any of its characters is another', () => {
    for (let at = 0; at < token.length; at++)
      for (const other of BASE64URL)
        if (other !== token[at])
          expect(tokens.read(token.slice(0, at) + other + token.slice(at + 1)), `${other} at ${at}`).toBe(
            undefined,
          );
  });

  it('fits into a header for the longest address and campaign', () => {
    const address = `${'a'.repeat(64)}@${'b'.repeat(185)}.com`;
    const longest = tokens.make({ ...claim, address, campaign: 'c'.repeat(100) });
    expect(longest.length).toBeLessThanOrEqual(MAX_TOKEN_LENGTH);
    expect(tokens.read(longest)?.address).toBe(address);
  });

  it('is still read after the secret was changed, while the former one is known', () => {
    const rotated = new UnsubscribeTokens(['another secret of thirty-two char', SECRET]);
    expect(rotated.read(token)).toEqual(claim);
    expect(rotated.make(claim)).not.toBe(token);
    expect(new UnsubscribeTokens(['another secret of thirty-two char']).read(token)).toBeUndefined();
  });
});

describe('a forged token is refused:', () => {
  const sealed = Buffer.from(token.slice(1), 'base64url');
  const content = Buffer.concat([Buffer.alloc(4), Buffer.from('news\njane@example.com')]);
  const iv = randomBytes(16);
  const withOwnKey = createCipheriv('aes-256-ctr', randomBytes(32), iv).update(content);
  const encode = (bytes: Buffer) => `1${bytes.toString('base64url')}`;
  it.each([
    ['nothing', ''],
    ['a version alone', '1'],
    ['an unknown version', `2${token.slice(1)}`],
    ['one that is cut off', token.slice(0, -4)],
    ['one that goes on', `${token}AAAA`],
    ['padding', `${token}=`],
    ['the other alphabet', encode(sealed).replaceAll('-', '+').replaceAll('_', '/').concat('+')],
    ['characters that decoders skip', `${token.slice(0, 9)} ${token.slice(9)}`],
    ['an empty content', encode(sealed.subarray(0, 20))],
    ['noise', encode(randomBytes(70))],
    ['plain content', encode(Buffer.concat([iv, content]))],
    ['content under a key of their own', encode(Buffer.concat([iv, withOwnKey]))],
    [
      "another token's IV",
      encode(
        Buffer.concat([
          Buffer.from(tokens.make({ ...claim, campaign: 'b' }).slice(1), 'base64url').subarray(0, 16),
          sealed.subarray(16),
        ]),
      ),
    ],
    ['a very long one', `1${'A'.repeat(100_000)}`],
    ['a token of another secret', new UnsubscribeTokens([randomBytes(32).toString('hex')]).make(claim)],
  ])('%s', (_, forged) => {
    expect(tokens.read(forged)).toBeUndefined();
  });
});
