import { describe, expect, it } from 'vitest';
import { fingerprintOf } from './fingerprint.js';

const stack = (line: number, file = 'send.js') =>
  `Error: x\n    at lib (/app/node_modules/x/y.js:1:1)\n    at Sender.send (/app/dist/${file}:${line}:7)\n    at node:internal/x:1:1`;

describe('errors are of one kind', () => {
  it.each([
    ['whatever numbers are in them', { message: 'took 12 ms' }, { message: 'took 3 ms' }],
    [
      'whatever ids are in them',
      { message: 'run news--20261124T100000Z' },
      { message: 'run news--20261125T100000Z' },
    ],
    ['whatever addresses are in them', { message: 'no a@example.com' }, { message: 'no bob@example.org' }],
    ['after a deploy', { stack: stack(12) }, { stack: stack(13) }],
  ])('%s', (_, one, other) => {
    expect(fingerprintOf({ title: 'failed', ...one })).toBe(fingerprintOf({ title: 'failed', ...other }));
  });
});

describe('errors are of different kinds', () => {
  it('by sentence, type, message and place: 20 of them', () => {
    const words = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];
    const kinds = words.flatMap((word) => [
      { title: `failed ${word}` },
      { title: 'failed', type: `${word}Error` },
      { title: 'failed', message: `in ${word}` },
      { title: 'failed', stack: stack(1, `${word}.js`) },
    ]);
    expect(new Set(kinds.map(fingerprintOf)).size).toBe(20);
  });
});
