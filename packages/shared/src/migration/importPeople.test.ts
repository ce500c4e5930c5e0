import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NdjsonSource } from '../audience/ndjsonSource.js';
import { fileInput } from '../audience/textLines.js';
import type { Suppression } from '../suppression/index.js';
import { PeopleImport, type PersonRow, readListmonk, readMailchimp } from './index.js';

const NOW = new Date('2026-11-24T10:00:00Z');

function makeFiles(files: Record<string, string>): { dir: string; path: (name: string) => string } {
  const dir = mkdtempSync(join(tmpdir(), 'sendonce-import-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  return { dir, path: (name) => join(dir, name) };
}

async function importInto(out: string, rows: () => AsyncIterable<PersonRow>, scope = '*') {
  const people = new PeopleImport(rows, { scope, now: NOW });
  const suppressions: Suppression[] = [];
  for await (const row of people.suppressions()) if ('suppression' in row) suppressions.push(row.suppression);
  await people.writeAudience(out);
  const audience = readFileSync(out, 'utf8').split('\n').filter(Boolean);
  return { audience: audience.map((line) => JSON.parse(line)), report: people.report, suppressions };
}

const LISTMONK = `uuid,email,name,attributes,status,created_at,updated_at
6a,Jane@Example.com,Jane Doe,"{""City"": ""Köln"", ""plan"": {""paid"": true}}",enabled,2024-05-01 10:00:00.5 +0000 UTC,2024-05-01 10:00:00.5 +0000 UTC
6b,joe@example.com,"Joe ""J"" Doe",{},enabled,x,x
6c,off@example.com,Off,{},disabled,x,x
6d,blocked@example.com,Blocked,{},blocklisted,x,2024-05-02 12:30:00 +0200 CEST
6e,left@example.com,Left,{},enabled,x,x
6f,nobody,Nobody,{},enabled,x,x
70,bad@example.com,Bad,[1],enabled,x,x
71,JANE@example.com,Jane again,{},enabled,x,x
72,odd@example.com,Odd,{},archived,x,x
`;
const LEFT = `uuid,email,name,attributes,status,created_at,updated_at
6e,left@example.com,Left,{},enabled,x,2024-06-01 00:00:00 +0000 UTC
`;

test('of listmonk, the enabled are the audience; the blocklisted, and who has left, are suppressed', async () => {
  const { path } = makeFiles({ 'subscribers.csv': LISTMONK, 'left.csv': LEFT });
  const rows = () => readListmonk({ files: [path('subscribers.csv')], unsubscribed: [path('left.csv')] });
  const { audience, report, suppressions } = await importInto(path('people.ndjson'), rows, 'news');
  expect(audience).toEqual([
    { email: 'Jane@example.com', name: 'Jane Doe', city: 'Köln', plan: { paid: true } },
    { email: 'joe@example.com', name: 'Joe "J" Doe', city: null, plan: null },
  ]);
  expect(suppressions).toEqual([
    {
      address: 'left@example.com',
      scope: 'news',
      reason: 'unsubscribe',
      since: new Date('2024-06-01T00:00:00Z'),
    },
    { address: 'blocked@example.com', scope: '*', reason: 'import', since: new Date('2024-05-02T10:30:00Z') },
  ]);
  expect(report).toMatchObject({
    mailable: 2,
    suppressed: { unsubscribe: 1, import: 1 },
    leftOut: new Map([['disabled', 1]]),
    duplicates: 2,
  });
  expect(report.invalid.map(({ line }) => line)).toEqual([7, 8, 10]);
  expect(JSON.stringify(report.invalid)).not.toContain('@example');
  expect(
    await new NdjsonSource(fileInput(path('people.ndjson')), { addressField: 'email' }).fields(),
  ).toContain('plan');
});

const MAILCHIMP = {
  'subscribed_email_audience_export_1.csv': `"Email Address","First Name","Last Name",Birthday,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CC,LEID,EUID,NOTES,TAGS
jane@example.com,Jane,Doe,,2,"2020-02-03 04:05:06",1.2.3.4,DE,1,a,,"""VIP"",""Blog, old"""
both@example.com,Both,Ways,,2,,,,2,b,,
`,
  'unsubscribed_email_audience_export_1.csv': `"Email Address","First Name",UNSUB_TIME,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_CAMPAIGN_ID,TAGS
both@example.com,Both,"2021-01-02 03:04:05",1,NORMAL,1,
angry@example.com,Angry,"2021-01-02 03:04:06",1,SPAM,1,
`,
  'cleaned_email_audience_export_1.csv': `"Email Address","First Name",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE
gone@example.com,Gone,"2021-01-02 03:04:05",News
`,
  'nonsubscribed_email_audience_export_1.csv': '"Email Address","First Name"\nshop@example.com,Shop\n',
};

test('of Mailchimp, each file is what its name says, and who is in two of them is not mailed', async () => {
  const { dir, path } = makeFiles(MAILCHIMP);
  const { audience, report, suppressions } = await importInto(path('p.ndjson'), () => readMailchimp([dir]));
  expect(audience).toEqual([
    {
      email: 'jane@example.com',
      first_name: 'Jane',
      last_name: 'Doe',
      birthday: '',
      tags: ['VIP', 'Blog, old'],
    },
  ]);
  expect(suppressions.map(({ address, reason, since }) => [address, reason, since.toISOString()])).toEqual([
    ['gone@example.com', 'bounce', '2021-01-02T03:04:05.000Z'],
    ['both@example.com', 'unsubscribe', '2021-01-02T03:04:05.000Z'],
    ['angry@example.com', 'complaint', '2021-01-02T03:04:06.000Z'],
  ]);
  expect(report.leftOut).toEqual(new Map([['never subscribed', 1]]));
  expect(report.duplicates).toBe(1);
});

test('a file of which nobody knows whom it holds is refused, and not mailed', async () => {
  const { path } = makeFiles({ 'list.csv': '"Email Address"\na@example.com\n', 'x.zip': '' });
  const read = async (name: string) => {
    for await (const _ of readMailchimp([path(name)]));
  };
  await expect(read('list.csv')).rejects.toThrow('list.csv:1: expected a header with UNSUB_TIME, CLEAN_TIME');
  await expect(read('x.zip')).rejects.toThrow('unzip it first');
  await expect(read('gone.csv')).rejects.toThrow("gone.csv can't be read");
});

test('an audience is replaced when the new one is whole; else it stays as it was', async () => {
  const { dir, path } = makeFiles({ 'subscribers.csv': LISTMONK, 'people.ndjson': 'before\n' });
  const rows = async function* () {
    yield* readListmonk({ files: [path('subscribers.csv')], unsubscribed: [] });
    throw new Error('broken');
  };
  const people = new PeopleImport(rows, { scope: '*', now: NOW });
  await expect(people.writeAudience(path('people.ndjson'))).rejects.toThrow('broken');
  expect(readFileSync(path('people.ndjson'), 'utf8')).toBe('before\n');
  expect(readdirSync(dir).sort()).toEqual(['people.ndjson', 'subscribers.csv']);
});
