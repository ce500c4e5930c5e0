import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressSet } from './index.js';

test('answers as a Set of strings does', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.nat(50).map(String))), (keys) => {
      const ours = new AddressSet();
      const theirs = new Set<string>();
      for (const key of keys) {
        expect(ours.has(key)).toBe(theirs.has(key));
        expect(ours.add(key)).toBe(!theirs.has(key));
        theirs.add(key);
        expect(ours.size).toBe(theirs.size);
      }
    }),
  );
});

test('loses nobody while it grows, and takes at most 32 bytes an address', () => {
  const set = new AddressSet();
  const count = 100_000;
  for (let i = 0; i < count; i++) expect(set.add(`person.${i}@example.com`)).toBe(true);
  for (let i = 0; i < count; i++) expect(set.add(`person.${i}@example.com`)).toBe(false);
  expect(set.size).toBe(count);
  expect(set.bytes).toBeLessThanOrEqual(32 * count);
  expect(set.has('nobody@example.com')).toBe(false);
});
