import { expect, it } from 'vitest';
import { WhereFilter } from './index.js';

const row = { plan: 'pro', city: '', age: 41, tags: ['vip'], active: false, note: null };
const test = (where: string) => WhereFilter.compile(where, 'x').test(row);

it.each([
  ['plan == "pro"', true],
  ['plan == "pro" and city != ""', false],
  ['age >= 18 and tags contains "vip"', true],
  ['active', false],
  ['not active', true],
  ['note == null', true],
  ['city == empty', true],
])('%s is %s', (where, verdict) => {
  expect(test(where)).toBe(verdict);
});

it.each([
  ['plan = "pro"', 'equal is written =='],
  ['plan ==', 'ends where a value is expected'],
  ['plan == "pro" and', 'ends where a value is expected'],
  ['"a" == "a"', 'asks for no merge field'],
  ['{{ plan }}', 'a condition alone'],
  ['plan == "pro" %}{% else', 'a condition alone'],
  ['nope | lost', 'undefined filter'],
])('%s is no condition: %s', (where, reason) => {
  expect(WhereFilter.problemOf(where, undefined)).toContain(reason);
});

it('is checked against the fields that there are', () => {
  expect(WhereFilter.problemOf('paln == "pro"', ['email', 'plan'])).toBe(
    'where: the audience has no field "paln", did you mean "plan"?',
  );
  expect(WhereFilter.problemOf('plan == "pro"', ['email', 'plan'])).toBeUndefined();
});

it('says of a row that it can not be told, without a value of the row', () => {
  expect(test('plan.x == 1')).toEqual({ invalid: 'where: a value of the row can not be compared' });
  expect(test('lost == 1')).toEqual({ invalid: 'lacks the field "lost", which where asks for' });
});
