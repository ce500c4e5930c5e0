import { describe, expect, it } from 'vitest';
import { hashPassword, isPassword, isPasswordHash } from './index.js';

describe('the hash of a password', () => {
  it('knows its password, written in any way, and no other', async () => {
    const hash = await hashPassword('geheimes Café');
    expect(await isPassword('geheimes Café', hash)).toBe(true);
    expect(await isPassword('geheimes Cafe\u0301', hash)).toBe(true);
    expect(await isPassword('geheimes Cafe', hash)).toBe(false);
    expect(await hashPassword('geheimes Café')).not.toBe(hash);
  });

  it('goes through shells, compose files and lists as it is', async () => {
    const hash = await hashPassword('long enough');
    expect(hash).toMatch(/^[\w.-]+$/);
    expect(isPasswordHash(hash)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a password', 'correct horse'],
    [
      'a cost that protects nothing',
      'scrypt.1.8.1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    ],
    [
      'a cost that takes 16 GB',
      'scrypt.24.8.1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    ],
    ['a hash that is cut off', 'scrypt.15.8.3.AAAAAAAAAAAAAAAAAAAAAA.AAAA'],
  ])('is not %s', (_, text) => {
    expect(isPasswordHash(text)).toBe(false);
  });
});
