import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { checkSendEmail } from './checks.js';
import { EventPublisher } from './eventPublisher.js';
import { type FaultPlan, Faults } from './faults.js';
import { makeMail } from './testing/setup.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setupPublisher(rules: FaultPlan['rules'] = []) {
  const faults = new Faults();
  faults.set({ rules });
  const published: string[] = [];
  const publish = (text: () => string, times = 1) => {
    const { eventType, mail } = JSON.parse(text());
    for (let i = 0; i < times; i++) published.push(`${mail.tags.sendonce_position[0]} ${eventType}`);
  };
  const publisher = new EventPublisher({ faults, topic: { hasSubscribers: true, publish } });
  const accept = (position: number) => {
    const email = checkSendEmail(makeMail(position));
    publisher.publish({
      messageId: 'id',
      acceptedAt: new Date(),
      to: email.recipients,
      tags: email.tags,
      email,
    });
  };
  return { published, publisher, accept };
}

test('Send is told at once, Delivery a moment later', () => {
  const { published, accept } = setupPublisher();
  accept(1);
  expect(published).toEqual(['1 Send']);
  vi.advanceTimersByTime(20);
  expect(published).toEqual(['1 Send', '1 Delivery']);
});

test('a reordered event comes after the next one', () => {
  const { published, accept } = setupPublisher([{ fault: 'events-reordered', count: 1 }]);
  accept(1);
  accept(2);
  vi.advanceTimersByTime(1_000);
  expect(published).toEqual(['2 Send', '1 Delivery', '1 Send', '2 Delivery']);
});

test('a reordered event that nothing follows comes nevertheless', () => {
  const rules = [{ fault: 'events-reordered', count: 1 }, { fault: 'events-lost' }] as const;
  const { published, accept } = setupPublisher([...rules]);
  accept(1);
  vi.advanceTimersByTime(499);
  expect(published).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(published).toEqual(['1 Send']);
});

test('a late event is late, and overtaken', () => {
  const { published, accept } = setupPublisher([{ fault: 'events-late', count: 1, latencyMs: 5_000 }]);
  accept(1);
  vi.advanceTimersByTime(4_999);
  expect(published).toEqual(['1 Delivery']);
  vi.advanceTimersByTime(1);
  expect(published).toEqual(['1 Delivery', '1 Send']);
});

test('nothing is published any more after the end', () => {
  const { published, publisher, accept } = setupPublisher();
  accept(1);
  publisher.stop();
  vi.advanceTimersByTime(10_000);
  expect(published).toEqual(['1 Send']);
});
