import { describe, expect, test } from 'vitest';
import { checkSendEmail } from './checks.js';
import { MailStore } from './mailStore.js';
import { makeMail, setup } from './testing/setup.js';

function makeStore({ contentLimit = 100, mailLimit = 10_000 } = {}) {
  const store = new MailStore({ contentLimit, mailLimit });
  let count = 0;
  const add = (change: object = {}, position = 0, run = 'daily--1') => {
    const email = checkSendEmail({ ...makeMail(position, run), ...change });
    count += 1;
    const messageId = `id-${count}`;
    store.add({ messageId, acceptedAt: new Date(count), to: email.recipients, tags: email.tags, email });
    return messageId;
  };
  return { store, add };
}

const foreign = { Content: { Simple: { Subject: { Data: 'Hi' }, Body: { Text: { Data: 'Hi' } } } } };

describe('the report', () => {
  test('a second mail with the same X-Sendonce-Id is a duplicate, to whomever it goes', () => {
    const { store, add } = makeStore();
    add({}, 1);
    add({}, 2);
    add({ Destination: { ToAddresses: ['other@example.com'] } }, 2);
    expect(store.report()).toMatchObject({
      messages: 3,
      recipients: 2,
      duplicates: 1,
      addresses: 3,
      duplicated: [{ id: 'daily--1/0/2', times: 2 }],
      byRun: { 'daily--1': { messages: 3, recipients: 2, duplicates: 1 } },
    });
  });

  test('without that header, the same recipient with the same tags is one', () => {
    const { store, add } = makeStore();
    const tags = (...values: string[]) => ({
      EmailTags: values.map((Value) => ({ Name: `tag-${Value}`, Value })),
    });
    add({ ...foreign, ...tags('a', 'b') });
    add({ ...foreign, ...tags('b', 'a') });
    add({ ...foreign, ...tags('a') });
    add({ ...foreign, ...tags('a') }, 1);
    expect(store.report()).toMatchObject({ messages: 4, recipients: 3, duplicates: 1 });
  });

  test('the same address under two positions is no duplicate, but one address less', () => {
    const { store, add } = makeStore();
    const same = (address: string) => ({ Destination: { ToAddresses: [address] } });
    add(same('jane@example.com'), 1);
    add(same('Jane@Example.com'), 2);
    expect(store.report()).toMatchObject({ recipients: 2, duplicates: 0, addresses: 1 });
  });

  test('runs are counted apart, and can be asked for one by one', () => {
    const { store, add } = makeStore();
    add({}, 1, 'one');
    add({}, 1, 'two');
    add({}, 1, 'two');
    expect(store.report()).toMatchObject({ messages: 3, duplicates: 1 });
    expect(store.report('one')).toMatchObject({ messages: 1, duplicates: 0, duplicated: [] });
    expect(Object.keys(store.report('two').byRun)).toEqual(['two']);
    expect(store.report('three').messages).toBe(0);
  });

  test('positions tell how often each recipient of a run came', async () => {
    const { send, control } = await setup();
    await send(makeMail(0));
    await send(makeMail(1_234));
    await send(makeMail(1_234));
    await send(makeMail(5, 'other'));
    expect((await control('GET', '/report/positions?run=daily--1')).body).toEqual({ '0/0': 1, '0/1234': 2 });
  });

  test("mails to Amazon's mailbox simulator are counted apart", () => {
    const { store, add } = makeStore();
    for (const name of ['success', 'bounce+label', 'complaint', 'suppressionlist', 'ooto'])
      add({ Destination: { ToAddresses: [`${name}@simulator.amazonses.com`] } });
    expect(store.report()).toMatchObject({ messages: 0, duplicates: 0, simulator: 5 });
  });

  test('what can not be compared any more is said', () => {
    const { store, add } = makeStore({ contentLimit: 1, mailLimit: 2 });
    for (let index = 0; index < 5; index++)
      add({ ...foreign, Destination: { ToAddresses: [`u${index}@example.com`] } });
    expect(store.report().unchecked).toBeGreaterThan(0);
    expect(store.report()).toMatchObject({ messages: 5, duplicates: 0 });
  });
});

describe('mails', () => {
  test('come newest first, in pages', () => {
    const { store, add } = makeStore();
    for (let position = 0; position < 5; position++) add({}, position);
    const ids = (query: object) => store.find({ limit: 2, ...query }).map(({ messageId }) => messageId);
    expect(ids({})).toEqual(['id-5', 'id-4']);
    expect(ids({ after: 'id-4' })).toEqual(['id-3', 'id-2']);
    expect(ids({ skip: 3 })).toEqual(['id-2', 'id-1']);
    expect(ids({ tag: { name: 'sendonce_position', value: '3' } })).toEqual(['id-4']);
  });

  test('old ones lose their content, and are still found', () => {
    const { store, add } = makeStore({ contentLimit: 10 });
    for (let position = 0; position < 2_500; position++) add({}, position);
    expect(store.get('id-2500')?.email).toBeDefined();
    expect(store.get('id-1')).toMatchObject({ to: ['user0@example.com'], acceptedAt: new Date(1) });
    expect(store.get('id-1')?.email).toBeUndefined();
    expect(store.find({ to: 'USER17@', limit: 10 })).toMatchObject([{ messageId: 'id-18' }]);
    expect(store.find({ limit: 5_000 })).toHaveLength(2_500);
    expect(store.report()).toMatchObject({ messages: 2_500, duplicates: 0 });
  });

  test('the oldest go when the limit is reached; their numbers stay', () => {
    const { store, add } = makeStore({ contentLimit: 10, mailLimit: 1_500 });
    for (let position = 0; position < 4_000; position++) add({}, position);
    expect(store.get('id-1')).toBeUndefined();
    expect(store.find({ limit: 10_000 }).length).toBeLessThan(2_600);
    add({}, 0);
    expect(store.report()).toMatchObject({ messages: 4_001, duplicates: 1 });
  });

  test('are all forgotten on request', async () => {
    const { send, control, sesLocal } = await setup();
    await send();
    expect((await control('DELETE', '/messages')).status).toBe(204);
    expect((await control('GET', '/messages')).body).toEqual([]);
    await send();
    expect(sesLocal.mails.report()).toMatchObject({ messages: 1, duplicates: 0 });
  });

  test.each(['limit=0', 'limit=x', 'tag=nocolon', 'skip=-1'])('a query with %s is refused', async (query) => {
    const { control } = await setup();
    const { status, body } = await control('GET', `/messages?${query}`);
    expect(status).toBe(400);
    expect(body.message).toContain(query.split('=')[0]);
  });
});
