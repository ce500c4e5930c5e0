import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UsageError } from '../runtime/index.js';
import { CampaignFileError, formatProblem, loadCampaign, loadCampaigns, snapshotOf } from './index.js';

const YAML = `subject: News for {{ first_name }}
from: Jane Doe <jane@example.com>
audience:
  csv: people.csv
`;
const FILES = {
  'campaign.yaml': YAML,
  'body.txt': 'Hello {{ first_name }}\n',
  'people.csv': 'email,first_name\njoe@example.com,Joe\n',
};

const dirs: string[] = [];
afterAll(() => Promise.all(dirs.map((dir) => rm(dir, { recursive: true }))));

/** A folder of campaigns: by id, what is different from a good one; `undefined` is a file that is missing. */
async function setup(campaigns: Record<string, Record<string, string | Buffer | undefined>>) {
  const dir = await mkdtemp(join(tmpdir(), 'campaigns-'));
  dirs.push(dir);
  for (const [id, changes] of Object.entries(campaigns)) {
    await mkdir(join(dir, id));
    for (const [name, content] of Object.entries({ ...FILES, ...changes }))
      if (content !== undefined) await writeFile(join(dir, id, name), content);
  }
  return dir;
}

/** The problems of a single campaign `x`, as people see them, from its folder on. */
async function problemsOf(changes: Record<string, string | Buffer | undefined>) {
  const dir = await setup({ x: changes });
  const { campaigns, problems } = await loadCampaigns(dir);
  expect(campaigns).toHaveLength(problems.length === 0 ? 1 : 0);
  return problems.map((problem) => formatProblem(problem).replace(`${dir}/x/`, ''));
}

describe('a good campaign', () => {
  test('is loaded with its defaults', async () => {
    const dir = await setup({ news: {} });
    expect(await loadCampaign(dir, 'news')).toEqual({
      id: 'news',
      baseDir: join(dir, 'news'),
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
      body: { text: FILES['body.txt'] },
      definition: {
        subject: 'News for {{ first_name }}',
        from: 'Jane Doe <jane@example.com>',
        audience: { csv: 'people.csv', address_field: 'email' },
        in_doubt: 'hold',
        catch_up: 'latest',
        max_invalid: 0.2,
        weight: 1,
        unsubscribe: true,
        list_id: '<news.example.com>',
      },
    });
  });

  test('may say everything', async () => {
    const yaml = `${YAML}name: News
description: What is new
reply_to: '"Doe, Jane" <reply@Example.com>'
schedule: { cron: "0 10 * * MON-FRI", timezone: Europe/Berlin }
in_doubt: resend
catch_up: skip
max_invalid: 5%
list_id: news.lists.example.com
links: { prefix: /daily/, hosts: [www.dif.io, "http://127.0.0.1:8080"], utm: { content: a, id: "1" } }
`;
    const dir = await setup({ news: { 'campaign.yaml': yaml, 'body.html': '<p>{{ email }}</p>' } });
    const { definition, body } = await loadCampaign(dir, 'news');
    expect(definition).toMatchObject({
      reply_to: '"Doe, Jane" <reply@example.com>',
      max_invalid: 0.05,
      list_id: '<news.lists.example.com>',
    });
    expect(body.html).toBe('<p>{{ email }}</p>');
  });

  test('has another hash when definition or text change, and the same one otherwise', async () => {
    const dir = await setup({
      a: {},
      b: { 'people.csv': 'email,first_name\nsomebody@example.com,Else\n' },
      c: { 'body.txt': 'Hi' },
      d: { 'campaign.yaml': `${YAML}list_id: other.example.com\n` },
      e: { 'campaign.yaml': `# A comment\n${YAML}list_id: other.example.com\n` },
    });
    const { campaigns } = await loadCampaigns(dir);
    const [a, b, c, d, e] = campaigns.map(({ hash }) => hash);
    expect(a).not.toBe(c);
    expect(a).not.toBe(d);
    expect(d).toBe(e);
    // The id is in the default List-Id.
    expect(a).not.toBe(b);
  });

  test('survives JSON as a snapshot, which is a copy', async () => {
    const campaign = await loadCampaign(await setup({ news: {} }), 'news');
    const snapshot = snapshotOf(campaign);
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(campaign);
    expect(snapshot.definition).not.toBe(campaign.definition);
  });
});

describe('every error says where it is and what was expected', () => {
  const withLines = (lines: string) => ({ 'campaign.yaml': `${YAML}${lines}` });
  const instead = (key: string, line: string) => ({
    'campaign.yaml': YAML.replace(new RegExp(`^${key}:.*$`, 'm'), line),
  });

  test.each<[string, Record<string, string | Buffer | undefined>, string[]]>([
    [
      'a YAML error',
      { 'campaign.yaml': 'subject: "x\n' },
      ['campaign.yaml:2:1  YAML: Missing closing "quote'],
    ],
    [
      'a cron without quotes',
      withLines('schedule: { cron: * 10 * * *, timezone: UTC }'),
      [
        'campaign.yaml:5:19  YAML: Alias cannot be an empty string (expected quotes around a value that begins with *)',
      ],
    ],
    [
      'an empty file',
      { 'campaign.yaml': '' },
      [
        'campaign.yaml:1:1  subject: is missing (expected a line of text)',
        'campaign.yaml:1:1  from: is missing (expected an address, as jane@example.com or "Jane Doe <jane@example.com>")',
        'campaign.yaml:1:1  audience: is missing (expected { csv: FILE } or { ndjson: FILE }, and maybe address_field; or the word messages)',
      ],
    ],
    [
      'something else than keys and values',
      { 'campaign.yaml': '- a' },
      [
        'campaign.yaml:1:1  this is no object but array (expected keys and values, as in campaigns/README.md)',
      ],
    ],
    [
      'an unknown key',
      withLines('shedule: {}\nzzzzzzzz: 1'),
      [
        'campaign.yaml:5:1  shedule: there is no such key, did you mean "schedule"?',
        expect.stringMatching(
          /^campaign.yaml:6:1 {2}zzzzzzzz: there is no such key; known are name, description, /,
        ),
      ],
    ],
    [
      'an unknown key within',
      { 'campaign.yaml': YAML.replace('csv', 'cvs') },
      ['campaign.yaml:4:3  audience.cvs: there is no such key, did you mean "csv"?'],
    ],
    [
      'keys that exclude each other',
      withLines('schedule:\n  cron: 0 10 * * *\n  timezone: UTC\n  at: 2026-12-01T10:00:00Z'),
      [
        "campaign.yaml:8:7  schedule.at: can't stand beside the other keys (expected { cron, timezone } or { at })",
      ],
    ],
    [
      'a value of the wrong kind',
      instead('subject', 'subject: 5'),
      ['campaign.yaml:1:10  subject: this is no text but number (expected a line of text)'],
    ],
    [
      'a wrong field of a cron, and a wrong zone',
      withLines('schedule:\n  cron: 0 25 * * *\n  timezone: Europe/Berln'),
      [
        'campaign.yaml:6:9  schedule.cron: "0 25 * * *" is no cron expression: hour "25": got value 25 expected range 0-23',
        'campaign.yaml:7:13  schedule.timezone: there is no time zone "Europe/Berln", did you mean Europe/Berlin?',
      ],
    ],
    [
      'seconds in a cron',
      withLines('schedule: { cron: "0 0 10 * * *", timezone: UTC }'),
      [
        'campaign.yaml:5:19  schedule.cron: expected 5 fields (minute, hour, day of month, month, day of week), got 6',
      ],
    ],
    [
      'a random cron',
      withLines('schedule: { cron: "0 H(1-5) * * *", timezone: UTC }'),
      [expect.stringMatching(/H stands for a random time .* \(hour "H\(1-5\)"\)$/)],
    ],
    [
      'a day that never comes',
      withLines('schedule: { cron: "0 0 31 2 *", timezone: UTC }'),
      [
        'campaign.yaml:5:19  schedule.cron: "0 0 31 2 *" is no cron expression: Invalid explicit day of month definition',
      ],
    ],
    [
      'a schedule without zone',
      withLines('schedule: { cron: 0 10 * * * }'),
      ['campaign.yaml:5:11  schedule.timezone: is missing (expected one like Europe/Berlin)'],
    ],
    [
      'a date without zone',
      withLines('schedule: { at: 2026-12-01T10:00:00 }'),
      ['campaign.yaml:5:17  schedule.at: expected a time with its zone, as "2026-12-01T10:00:00+01:00"'],
    ],
    [
      'a subject of two lines',
      instead('subject', 'subject: "a\\nBcc: b"'),
      ['campaign.yaml:1:10  subject: expected one line'],
    ],
    [
      'a bad From and Reply-To',
      { 'campaign.yaml': `${YAML.replace('jane@', 'jane')}reply_to: "a@example.com, b@example.com"` },
      [
        'campaign.yaml:2:7  from: expected an address, as jane@example.com or "Jane Doe <jane@example.com>"',
        'campaign.yaml:5:11  reply_to: expected an address, as jane@example.com or "Jane Doe <jane@example.com>"',
      ],
    ],
    [
      'bad choices and shares',
      withLines('in_doubt: guess\ncatch_up: all\nmax_invalid: 20'),
      [
        'campaign.yaml:5:11  in_doubt: expected hold or resend',
        'campaign.yaml:6:11  catch_up: expected skip or latest',
        'campaign.yaml:7:14  max_invalid: expected a share between 0% and 100%, as 20% or 0.2',
      ],
    ],
    [
      'files that are missing',
      { 'body.txt': undefined, 'people.csv': undefined },
      [
        "body.txt  the file is missing: it is the mail's text (Liquid)",
        "campaign.yaml:4:3  audience: the file people.csv can't be used: there is no such file",
      ],
    ],
    [
      'a definition that is missing, beside a template error',
      { 'campaign.yaml': undefined, 'body.txt': '\n{% if %}' },
      [
        'campaign.yaml  the file is missing: it says what is sent to whom, and when',
        'body.txt:2:6  invalid value expression: ""',
      ],
    ],
    ['an empty text', { 'body.txt': ' \n' }, ['body.txt:1  the text is empty']],
    [
      'a text that is no UTF-8',
      { 'body.txt': Buffer.from('Hi\nZo\u00eb', 'latin1') },
      ['body.txt:2  this line is no UTF-8'],
    ],
    [
      'fields that the audience lacks, in each part',
      {
        'campaign.yaml': YAML.replace('first_name', 'nme'),
        'body.txt': 'a\n{{ frist_name }}',
        'body.html': '{{ zip }}',
      },
      [
        'campaign.yaml:1:10  subject: {{ nme }}: the audience has no such field (expected one of email, first_name)',
        'body.txt:2:4  {{ frist_name }}: the audience has no such field, did you mean "first_name"? (expected one of email, first_name)',
        'body.html:1:4  {{ zip }}: the audience has no such field (expected one of email, first_name)',
      ],
    ],
    [
      'an audience without the column of the addresses',
      { 'people.csv': 'mail,first_name\njoe@example.com,Joe\n' },
      [
        'people.csv:1  there is no column "email"; the columns are mail, first_name (address_field names the one with the addresses)',
      ],
    ],
    [
      'an audience without rows',
      { 'people.csv': 'email,first_name\n' },
      ['people.csv  the audience is empty: it has no rows'],
    ],
    [
      'an audience without a usable row',
      { 'people.csv': 'email,first_name\nnobody,x\n,y\n' },
      [
        'people.csv  the audience is empty: none of its rows can be used; the first, line 2: the address has no local part or no domain',
      ],
    ],
  ])('%s', async (_, changes, expected) => {
    expect(await problemsOf(changes)).toEqual(expected);
  });

  test('a folder that can be no campaign', async () => {
    const { problems } = await loadCampaigns(
      await setup({ 'a--b': {}, 'a b': {}, [`x${'y'.repeat(100)}`]: {} }),
    );
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('a campaign is named with letters'),
      expect.stringContaining('a campaign is named with letters'),
      expect.stringContaining('a campaign is named with letters'),
    ]);
  });
});

describe('campaigns', () => {
  test('broken ones do not keep the good ones from being loaded, and are listed', async () => {
    const dir = await setup({ broken: { 'body.txt': undefined }, good: {} });
    await writeFile(join(dir, 'README.md'), 'not a campaign');
    const { campaigns, problems, ids } = await loadCampaigns(dir);
    expect(ids).toEqual(['broken', 'good']);
    expect(campaigns.map(({ id }) => id)).toEqual(['good']);
    expect(problems.map(({ campaign }) => campaign)).toEqual(['broken']);
  });

  test('a broken one is an error with all of its problems', async () => {
    const dir = await setup({ broken: { 'body.txt': undefined, 'people.csv': undefined } });
    const error = await loadCampaign(dir, 'broken').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CampaignFileError);
    expect((error as CampaignFileError).problems).toHaveLength(2);
  });

  test('an unknown one is an error that names the known ones', async () => {
    const dir = await setup({ 'daily-notification': {}, weekly: {} });
    const load = loadCampaign(dir, 'daily-notifications');
    await expect(load).rejects.toThrow(UsageError);
    await expect(load).rejects.toThrow(
      'Did you mean "daily-notification"? There are: daily-notification, weekly.',
    );
    await expect(loadCampaign(dir, '../weekly')).rejects.toThrow('There is no campaign');
  });

  test('a folder that is missing is an error', async () => {
    await expect(loadCampaigns('/nowhere')).rejects.toThrow(
      "CAMPAIGNS_DIR: the folder /nowhere can't be read",
    );
  });
});

describe('a template of single messages', () => {
  const TEMPLATE = 'subject: Hi {{ first_name }}\nfrom: jane@example.com\naudience: messages\n';
  const changes = { 'campaign.yaml': TEMPLATE, 'people.csv': undefined };

  test('needs no file of recipients, and no sample', async () => {
    expect(await problemsOf(changes)).toEqual([]);
  });

  test('has its fields checked against the sample, where there is one', async () => {
    const sample = (text: string) => problemsOf({ ...changes, 'sample.json': text });
    expect(await sample('{ "to": "joe@example.com", "data": { "first_name": "Joe" } }')).toEqual([]);
    expect(await sample('{ "data": { "name": "Joe" } }')).toEqual([
      expect.stringMatching(/^campaign\.yaml:1:10 {2}subject: .*first_name/),
      expect.stringMatching(/^body\.txt:1:10 {2}.*first_name/),
    ]);
    expect(await sample('{ "data": { "First name": "Joe" } }')).toEqual([
      'sample.json:1  data.First name: templates could not use this name; write first_name',
    ]);
    expect(await sample('{ "to": "joe" }')).toEqual([
      'sample.json  the address has no local part or no domain',
    ]);
    expect(await sample('{ "recipient": "joe" }')).toEqual([
      'sample.json:1  expected { "to": "jane@example.com", "data": { … } }',
    ]);
    expect(await sample('Joe')).toEqual(['sample.json:1  this is no JSON']);
  });

  test('has nothing that is about an audience or a time', async () => {
    const yaml = `${TEMPLATE}weight: 2\nschedule: { cron: 0 10 * * *, timezone: UTC }\n`;
    expect(await problemsOf({ ...changes, 'campaign.yaml': yaml })).toEqual([
      expect.stringContaining('campaign.yaml:4:9  weight: can\'t stand beside "audience: messages"'),
      expect.stringContaining('campaign.yaml:5:11  schedule: can\'t stand beside "audience: messages"'),
    ]);
  });

  test('with another word for the audience is explained', async () => {
    const yaml = TEMPLATE.replace('messages', 'message');
    expect(await problemsOf({ ...changes, 'campaign.yaml': yaml })).toEqual([
      expect.stringContaining('or the word messages'),
    ]);
  });
});
