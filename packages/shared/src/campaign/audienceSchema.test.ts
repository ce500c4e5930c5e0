/** What a campaign file may say about its audience, and how it is told what is wrong. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatProblem, loadCampaigns } from './index.js';

const FILES = {
  'body.txt': 'Hello {{ first_name }}\n',
  'people.csv': 'email,first_name,plan\njoe@example.com,Joe,pro\n',
  'audience.sql': 'select email, first_name\nfrom people where at < :scheduled_at\n',
};

/** @param audience YAML under `audience:`. */
async function problemsOf(audience: string, files: Record<string, string> = {}, asksSources = false) {
  const dir = mkdtempSync(join(tmpdir(), 'campaigns-'));
  mkdirSync(join(dir, 'x'));
  const yaml = `subject: News\nfrom: jane@example.com\naudience:\n${audience.replace(/^/gm, '  ')}\n`;
  for (const [name, content] of Object.entries({ ...FILES, ...files, 'campaign.yaml': yaml }))
    writeFileSync(join(dir, 'x', name), content);
  const { problems } = await loadCampaigns(dir, { asksSources });
  return problems.map((problem) => formatProblem(problem).replace(`${dir}/x/`, ''));
}

it.each([
  'postgres: { url_env: NOT_SET_HERE, query_file: audience.sql }',
  'mysql: { url_env: NOT_SET_HERE, query: "select 1 as email", timeout_seconds: 30 }\nwhere: plan == "pro"',
  'http: { url: "https://example.com/list?at={scheduled_at}", auth_env: TOKEN, headers_env: { X-Key: KEY } }',
  'http: { url_env: NOT_SET_HERE, format: ndjson, max_bytes: 1000000 }\nmax_rows: 1000',
  'csv: people.csv\nwhere: plan == "pro" and first_name != ""',
])('is good, without asking anybody: %s', async (audience) => {
  expect(await problemsOf(audience)).toEqual([]);
});

it.each([
  ['postgres: { url_env: DB }', '4:13  audience.postgres: expected query or query_file, one of them'],
  [
    'mysql: { url_env: DB, query: a, query_file: b }',
    '4:10  audience.mysql: expected query or query_file, one of them',
  ],
  [
    'postgres: { url_env: "postgres://me:pw@host/db", query: a }',
    '4:24  audience.postgres.url_env: expected the name of a variable of the environment, as APP_DATABASE_URL',
  ],
  [
    'postgres: { url_env: DB, query: a, time_out_seconds: 9 }',
    '4:38  audience.postgres.time_out_seconds: there is no such key, did you mean "timeout_seconds"?',
  ],
  [
    'postgres: { url_env: DB, query: a, timeout_seconds: 60s }',
    '4:55  audience.postgres.timeout_seconds: expected a whole number from 1 to 3,600',
  ],
  ['http: { format: csv }', '4:9  audience.http: expected url or url_env, one of them'],
  [
    'http: { url: "https://me:pw@example.com/" }',
    '4:16  audience.http.url: expected a URL that starts with https://, without a password',
  ],
  [
    'csv: people.csv\nmax_rows: 0',
    '5:13  audience.max_rows: expected a whole number from 1 to 1,000,000,000',
  ],
  [
    'csv: people.csv\nwhere: paln == "pro"',
    '5:10  audience.where: the audience has no field "paln", did you mean "plan"?',
  ],
  [
    'csv: people.csv\nwhere: plan = "pro"',
    '5:10  audience.where: "plan = "pro"" is no condition: expected "|" before filter (equal is written ==)',
  ],
  [
    'csv: people.csv\nwhere: plan == "free"',
    'people.csv  the audience is empty: it has no rows for which where holds',
  ],
])('is told with its place: %s', async (audience, problem) => {
  const problems = await problemsOf(audience);
  expect(problems).toEqual([problem.startsWith('people') ? problem : `campaign.yaml:${problem}`]);
});

it('has a query whose parameters are known, and whose file is there', async () => {
  const audience = 'postgres: { url_env: DB, query_file: audience.sql }';
  expect(await problemsOf(audience, { 'audience.sql': 'select 1\nwhere :scheduledat' })).toEqual([
    'audience.sql:2  PostgreSQL (DB): :scheduledat: there is no such parameter, did you mean "scheduled_at"?',
  ]);
  expect(await problemsOf(audience.replace('audience.sql', 'lost.sql'))).toEqual([
    "campaign.yaml:4:3  audience: the file lost.sql can't be used: there is no such file",
  ]);
});

it('is asked when somebody validates, and then needs its variable', async () => {
  const audience = 'postgres: { url_env: NOT_SET_HERE, query_file: audience.sql }';
  expect(await problemsOf(audience, {}, true)).toEqual([
    "campaign.yaml:4:3  audience: PostgreSQL (NOT_SET_HERE) can't be used: the variable NOT_SET_HERE is not set here (nor NOT_SET_HERE_FILE)",
  ]);
});
