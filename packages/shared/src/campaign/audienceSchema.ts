/** `audience` in a campaign file: where its recipients come from, and which of them. */
import { z } from 'zod';
import type { YamlHints } from './yamlFile.js';

const AUDIENCE_EXPECTED =
  '{ csv: FILE }, { ndjson: FILE }, { postgres: … }, { mysql: … } or { http: … }, and maybe address_field; or the word messages';
const DATABASE_EXPECTED = '{ url_env: VARIABLE, query_file: FILE } or { url_env: VARIABLE, query: SQL }';
const HTTP_EXPECTED = '{ url: URL } or { url_env: VARIABLE }, and maybe format, auth_env, headers_env';
const VARIABLE_EXPECTED = 'the name of a variable of the environment, as APP_DATABASE_URL';

const nonEmpty = z.string().trim().min(1, 'expected some text');
/** Not the value: a campaign file is read by many. */
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, `expected ${VARIABLE_EXPECTED}`);
const wholeNumber = (max: number) =>
  z
    .int(`expected a whole number from 1 to ${max.toLocaleString('en')}`)
    .min(1)
    .max(max);
const timeout_seconds = wholeNumber(3_600).optional();

/** What all of them may have. */
const common = {
  /** Written like the column's header, or like the merge field. */
  address_field: nonEmpty.default('email'),
  where: nonEmpty.optional(),
  max_rows: wholeNumber(1_000_000_000).optional(),
};

const database = z
  .strictObject({
    url_env: variable,
    query: nonEmpty.optional(),
    query_file: nonEmpty.optional(),
    timeout_seconds,
  })
  .refine(({ query, query_file }) => (query === undefined) !== (query_file === undefined), {
    error: 'expected query or query_file, one of them',
  });

const http = z
  .strictObject({
    url: z
      .string()
      .regex(
        /^https?:\/\/[^\s/@]+(\/\S*)?(\?\S*)?$/i,
        'expected a URL that starts with https://, without a password',
      )
      .optional(),
    url_env: variable.optional(),
    format: z.enum(['csv', 'ndjson'], { error: 'expected csv or ndjson' }).optional(),
    auth_env: variable.optional(),
    headers_env: z
      .record(z.string().regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header, as X-Api-Key'), variable)
      .optional(),
    timeout_seconds,
    max_bytes: wholeNumber(2 ** 50).optional(),
  })
  .refine(({ url, url_env }) => (url === undefined) !== (url_env === undefined), {
    error: 'expected url or url_env, one of them',
  });

/** A template of single messages: recipients come one by one, and the file holds what a preview shows. */
const SAMPLE: { messages: string; address_field: string; where?: undefined; max_rows?: undefined } = {
  messages: 'sample.json',
  address_field: 'to',
};

export const audience = z.union(
  [
    z.strictObject({ csv: nonEmpty, ...common }),
    z.strictObject({ ndjson: nonEmpty, ...common }),
    z.strictObject({ postgres: database, ...common }),
    z.strictObject({ mysql: database, ...common }),
    z.strictObject({ http, ...common }),
    z.literal('messages').transform(() => SAMPLE),
  ],
  { error: `expected ${AUDIENCE_EXPECTED}` },
);

export type AudienceDefinition = z.infer<typeof audience>;

const DATABASE_KEYS = ['url_env', 'query', 'query_file', 'timeout_seconds'];

export const AUDIENCE_HINTS: YamlHints = {
  keys: {
    audience: ['csv', 'ndjson', 'postgres', 'mysql', 'http', 'address_field', 'where', 'max_rows'],
    'audience.postgres': DATABASE_KEYS,
    'audience.mysql': DATABASE_KEYS,
    'audience.http': ['url', 'url_env', 'format', 'auth_env', 'headers_env', 'timeout_seconds', 'max_bytes'],
  },
  expected: {
    audience: AUDIENCE_EXPECTED,
    'audience.csv': 'the path of a file, from the folder of the campaign',
    'audience.ndjson': 'the path of a file, from the folder of the campaign',
    'audience.postgres': DATABASE_EXPECTED,
    'audience.postgres.url_env': VARIABLE_EXPECTED,
    'audience.mysql': DATABASE_EXPECTED,
    'audience.mysql.url_env': VARIABLE_EXPECTED,
    'audience.http': HTTP_EXPECTED,
    'audience.where': 'a condition, as plan == "pro"',
  },
};
