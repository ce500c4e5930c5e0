import { describe, expect, it } from 'vitest';
import { REDIRECT_TRICKS } from '../testing/index.js';
import { followLink } from './followLink.js';

const ORIGIN = 'https://www.dif.io';
const UTM: [string, string][] = [
  ['utm_source', 'news'],
  ['utm_medium', 'email'],
];
const follow = (search: string, utm = UTM) => followLink(search, ORIGIN, '/daily/', utm);

describe('a link that is followed', () => {
  it.each([
    ['?/updates/haml/', '/updates/haml/?utm_source=news&utm_medium=email'],
    ['?/', '/?utm_source=news&utm_medium=email'],
    ['?/x?a=b&c=%20+d', '/x?a=b&c=%20+d&utm_source=news&utm_medium=email'],
    ['?/x?', '/x?utm_source=news&utm_medium=email'],
    ['?/x?a&', '/x?a&utm_source=news&utm_medium=email'],
    ['?/x?utm_source=mine', '/x?utm_source=mine&utm_medium=email'],
    ['?/x?a=https://example.com//y%0a', '/x?a=https://example.com//y%0a&utm_source=news&utm_medium=email'],
    ['?/@somebody', '/@somebody?utm_source=news&utm_medium=email'],
    ['?/https://example.com/', '/https://example.com/?utm_source=news&utm_medium=email'],
    ['?/a/../b/./c', '/b/c?utm_source=news&utm_medium=email'],
  ])('%s leads to %s', (search, expected) => expect(follow(search)?.href).toBe(ORIGIN + expected));

  it('is counted by its path and query, whatever stands before them', () => {
    expect(follow('?Ab_c-9/x?a=b')).toMatchObject({ link: '/x?a=b', token: 'Ab_c-9' });
  });

  it('gets nothing added when there is nothing to add', () => {
    expect(follow('?/x?a', [])?.href).toBe(`${ORIGIN}/x?a`);
  });
});

it.each(REDIRECT_TRICKS)('%j leads nowhere', (trick) => expect(follow(`?${trick}`)).toBeUndefined());
