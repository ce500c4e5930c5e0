import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCampaignDir, type SampleCampaign } from '../testing/index.js';
import { formatProblem, loadCampaign, loadCampaigns } from './index.js';

/** The problems of one campaign, as `file:line: message`. */
async function problemsOf(campaign: SampleCampaign): Promise<string[]> {
  const { problems } = await loadCampaigns(makeCampaignDir(campaign));
  return problems.map(({ file, line, message }) => `${basename(file)}${line ? `:${line}` : ''}: ${message}`);
}

const YAML = 'from: Dif <updates@dif.io>\nsubject: Hi\naudience:\n  csv: recipients.csv\n';

describe('a campaign', () => {
  it('that is right has its defaults filled in', async () => {
    const { definition, hash } = await loadCampaign(makeCampaignDir({}), 'news');
    expect(definition).toMatchObject({
      in_doubt: 'hold',
      catch_up: 'latest',
      max_invalid: 0.2,
      list_id: '<news.dif.io>',
    });
    expect(hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('has another hash after an edit, and the same without one', async () => {
    const load = async (body: string) => (await loadCampaign(makeCampaignDir({ body }), 'news')).hash;
    expect(await load('one')).toBe(await load('one'));
    expect(await load('one')).not.toBe(await load('two'));
  });

  const WRONG: [what: string, campaign: SampleCampaign, problem: string][] = [
    [
      'broken YAML',
      { yaml: 'from: a@b.io\nsubject: "Hi\n' },
      'campaign.yaml:3: YAML: Missing closing "quote',
    ],
    [
      'an unknown key',
      { settings: 'in_dout: hold\n' },
      'campaign.yaml:5: in_dout: there is no such key, did you mean "in_doubt"?',
    ],
    [
      'an unknown nested key',
      { settings: 'schedule:\n  cron: 0 10 * * *\n  timezone: UTC\n  zone: UTC\n' },
      'campaign.yaml:8: schedule.zone: there is no such key',
    ],
    [
      'a bad cron',
      { settings: 'schedule:\n  cron: 61 10 * * *\n  timezone: UTC\n' },
      'campaign.yaml:6: schedule.cron: "61 10 * * *" is no cron expression',
    ],
    [
      'a cron with seconds',
      { settings: 'schedule:\n  cron: 0 0 10 * * *\n  timezone: UTC\n' },
      'campaign.yaml:6: schedule.cron: expected 5 fields',
    ],
    [
      'a random cron',
      { settings: 'schedule:\n  cron: H 10 * * *\n  timezone: UTC\n' },
      'campaign.yaml:6: schedule.cron: H stands for a random time',
    ],
    [
      'a bad zone',
      { settings: 'schedule:\n  cron: 0 10 * * *\n  timezone: Europe/Berln\n' },
      'campaign.yaml:7: schedule.timezone: there is no time zone "Europe/Berln", did you mean Europe/Berlin?',
    ],
    [
      'a date without a zone',
      { settings: 'schedule:\n  at: "2026-12-01T10:00:00"\n' },
      'campaign.yaml:6: schedule.at: expected a time with its zone',
    ],
    [
      'a missing subject',
      { yaml: 'from: a@b.io\naudience: { csv: recipients.csv }\n' },
      'campaign.yaml:1: subject: is missing',
    ],
    [
      'a bad sender',
      { yaml: YAML.replace('Dif <updates@dif.io>', 'nobody') },
      'campaign.yaml:1: from: expected an address',
    ],
    ['a bad policy', { settings: 'in_doubt: maybe\n' }, 'campaign.yaml:5: in_doubt: expected hold or resend'],
    ['a missing body', { body: null }, "body.txt: the file is missing: it is the mail's text (Liquid)"],
    ['a missing campaign.yaml', { yaml: null }, 'campaign.yaml: the file is missing'],
    ['a missing audience', { csv: null }, 'campaign.yaml:4: audience: the file '],
    ['an empty audience', { csv: 'email,first_name\n' }, 'recipients.csv: the audience is empty'],
    [
      'an audience of bad rows only',
      { csv: 'email,first_name\nnobody,A\n' },
      'recipients.csv: the audience is empty',
    ],
    [
      'an audience without addresses',
      { csv: 'mail,first_name\na@b.io,A\n' },
      'recipients.csv:1: there is no column "email"; the columns are mail, first_name',
    ],
    [
      'a field that the audience lacks',
      { body: 'Hi\n{{ frist_name }}\n' },
      'body.txt:2: {{ frist_name }}: the audience has no such field, did you mean "first_name"?',
    ],
    [
      'a template error',
      { body: 'Hi\n\n{% if first_name %}\n' },
      'body.txt:3: tag {% if first_name %} not closed',
    ],
    [
      'an unknown filter',
      { body: 'Hi {{ first_name | uppercase }}\n' },
      'body.txt:1: undefined filter: uppercase',
    ],
    ['a bad id', { id: 'a--b' }, 'a--b: a campaign is named with letters, digits, - and _, without --'],
  ];
  for (const [what, campaign, problem] of WRONG) {
    it(`with ${what} is refused, with the place`, async () => {
      const problems = await problemsOf(campaign);
      expect(problems.join('\n')).toContain(problem);
    });
  }

  it('is told all of its problems at once', async () => {
    const problems = await problemsOf({ settings: 'in_doubt: maybe\nmax_invalid: 300%\nsubjekt: x\n' });
    expect(problems).toHaveLength(3);
  });

  it('does not keep the others from being loaded', async () => {
    const { campaigns, problems, ids } = await loadCampaigns(
      makeCampaignDir({ id: 'good' }, { id: 'bad', yaml: 'x: 1\n' }),
    );
    expect(campaigns.map(({ id }) => id)).toEqual(['good']);
    expect(ids).toEqual(['bad', 'good']);
    expect(problems.every(({ campaign }) => campaign === 'bad')).toBe(true);
    expect(formatProblem({ campaign: 'x', file: '/tmp/x.yaml', line: 3, column: 2, message: 'm' })).toMatch(
      /x\.yaml:3:2 {2}m$/,
    );
  });

  it('that does not exist is answered with the nearest name', async () => {
    await expect(loadCampaign(makeCampaignDir({}), 'nwes')).rejects.toThrow('Did you mean "news"?');
  });
});
