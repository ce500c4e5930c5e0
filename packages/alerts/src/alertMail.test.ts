import { expect, it } from 'vitest';
import { composeAlert } from './alertMail.js';
import { parseMailboxes } from './mailboxes.js';
import type { Told } from './rules.js';

const at = Date.UTC(2026, 10, 24, 10);
const told = (more: Partial<Told> = {}): Told => ({
  fingerprint: 'x',
  title: 'job failed',
  detail: 'TypeError: no\nrun: news--20261124T100000Z\n\nTypeError: no\n    at send (send.js:1:1)',
  source: 'worker, host a, process 1',
  count: 1,
  total: 1,
  firstAt: at,
  lastAt: at,
  isCondition: false,
  nextAfterMs: 300_000,
  ...more,
});
const compose = (...all: Told[]) =>
  composeAlert({ takenAt: at, told: all }, { prefix: '[Ours] ', pagesUrl: 'https://ops.example.com' });

it('one alert says what, since when, how often, where, and which page helps', () => {
  const { subject, text } = compose(told({ count: 1_234, total: 2_000, page: '/runs/news' }));
  expect(subject).toBe('[Ours] job failed (1,234 times)');
  for (const part of [
    '2026-11-24 10:00:00 UTC',
    '1,234 now, 2,000 in all',
    'worker, host a, process 1',
    'https://ops.example.com/runs/news',
    '    at send (send.js:1:1)',
    'in 5 min at the earliest',
  ])
    expect(text).toContain(part);
});

it('a digest adds up, a condition that is over says after how long', () => {
  const { subject, text } = compose(
    told({ count: 3 }),
    told({ isCondition: true, resolvedAt: at + 720_000 }),
  );
  expect(subject).toBe('[Ours] 2 kinds of trouble, job failed (3 times), …');
  expect(text).toContain('4 occurrences of 2 kinds');
  expect(text).toContain('Resolved after 12 min: job failed');
});

it('a title can begin no further header, and is cut', () => {
  const { subject } = compose(told({ title: `a\r\nBcc: b@example.com\u2028${'x'.repeat(500)}` }));
  expect(subject).toMatch(/^\[Ours\] a Bcc: /);
  expect(subject).not.toMatch(/[\r\n]/);
  expect(subject.length).toBeLessThanOrEqual(120);
});

it('mailboxes are read with and without names, and a wrong one is named', () => {
  expect(parseMailboxes('"Ops, Berlin" <ops@example.com>, b@example.com')).toEqual([
    { name: 'Ops, Berlin', address: 'ops@example.com' },
    { name: '', address: 'b@example.com' },
  ]);
  expect(() => parseMailboxes('Ops <ops>')).toThrow('"Ops" is no mailbox');
  expect(() => parseMailboxes(' , ')).toThrow('no mailbox in it');
});
