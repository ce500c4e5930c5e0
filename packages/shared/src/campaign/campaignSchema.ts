/**
 * What a campaign file may say. Unknown keys are errors: a typing error must not quietly turn a setting off.
 */
import { CronExpressionParser } from 'cron-parser';
import { z } from 'zod';
import { parseMailbox } from '../audience/address.js';
import { CronTimes } from './cronTimes.js';
import { nearestName } from './didYouMean.js';
import { LINKS_HINTS, makeLinksSchema } from './linksSchema.js';
import { isTimeZone } from './wallClock.js';
import type { YamlHints } from './yamlFile.js';

const ADDRESS_EXPECTED = 'an address, as jane@example.com or "Jane Doe <jane@example.com>"';
const SCHEDULE_EXPECTED = '{ cron, timezone } or { at }';
const AUDIENCE_EXPECTED = '{ csv: FILE } or { ndjson: FILE }, and maybe address_field; or the word messages';

const nonEmpty = z.string().trim().min(1, 'expected some text');

const mailbox = nonEmpty.transform((text, context) => {
  const parsed = parseMailbox(text);
  if (parsed) return parsed.formatted;
  context.issues.push({
    code: 'custom',
    input: text,
    message: `expected ${ADDRESS_EXPECTED}`,
  });
  return z.NEVER;
});

/** cron-parser's own error for a bad zone names neither the zone nor the field. */
const timezone = nonEmpty.superRefine((name, context) => {
  if (isTimeZone(name)) return;
  const nearest = nearestName(name, Intl.supportedValuesOf('timeZone'));
  const hint = nearest ? `did you mean ${nearest}?` : 'expected one like Europe/Berlin';
  context.addIssue(`there is no time zone "${name}", ${hint}`);
});

const CRON_FIELDS = ['minute', 'hour', 'day of month', 'month', 'day of week'];

const cron = nonEmpty.superRefine((expression, context) => {
  const problem = cronProblem(expression);
  if (problem) context.addIssue(problem);
});

/**
 * Five fields, no seconds: a run is an occasion that people hear of, and a stray sixth field (`* 0 10 * * *`) would be
 * sixty of them. No aliases (@daily), which say nothing about the time of day.
 */
function cronProblem(expression: string): string | undefined {
  const fields = expression.split(/\s+/);
  if (fields.length !== CRON_FIELDS.length)
    return `expected 5 fields (${CRON_FIELDS.join(', ')}), got ${fields.length}`;
  for (const [index, field] of fields.entries()) {
    // Evaluated anew each time, so that the occurrences before and after a restart would differ.
    if (/(^|[,*/])H/.test(field))
      return `H stands for a random time and would move the schedule at every start: write the time (${CRON_FIELDS[index]} "${field}")`;
    const alone = CRON_FIELDS.map((_, other) => (other === index ? field : '*')).join(' ');
    const reason = parseFailure(alone);
    if (reason) return `"${expression}" is no cron expression: ${CRON_FIELDS[index]} "${field}": ${reason}`;
  }
  const reason = parseFailure(expression);
  if (reason) return `"${expression}" is no cron expression: ${reason}`;
  return new CronTimes(expression, 'UTC').next(0) === undefined
    ? 'never comes: there is no such date'
    : undefined;
}

function parseFailure(expression: string): string | undefined {
  try {
    CronExpressionParser.parse(expression);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^(Constraint|Validation) error, /, '');
  }
}

const instant = z.iso.datetime({
  offset: true,
  error: 'expected a time with its zone, as "2026-12-01T10:00:00+01:00"',
});

const schedule = z.union([z.strictObject({ cron, timezone }), z.strictObject({ at: instant })], {
  error: `expected ${SCHEDULE_EXPECTED}`,
});

/** Written like the column's header, or like the merge field. */
const address_field = nonEmpty.default('email');
const audience = z.union(
  [
    z.strictObject({ csv: nonEmpty, address_field }),
    z.strictObject({ ndjson: nonEmpty, address_field }),
    // A template of single messages: recipients come one by one, and the file holds what a preview shows.
    z.literal('messages').transform(() => ({ messages: 'sample.json', address_field: 'to' })),
  ],
  { error: `expected ${AUDIENCE_EXPECTED}` },
);

const share = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?%$/)], { error: 'expected a share, as 20% or 0.2' })
  .transform((value) => (typeof value === 'number' ? value : Number.parseFloat(value) / 100))
  .refine((value) => value >= 0 && value <= 1, 'expected a share between 0% and 100%, as 20% or 0.2');

/** YAML 1.2 takes `yes` for a text. */
const yesNo = z
  .union([z.enum(['yes', 'no']), z.boolean()], { error: 'expected yes or no' })
  .transform((value) => value === true || value === 'yes');

export const CampaignSchema = z.strictObject({
  /** For people; default: the id. */
  name: nonEmpty.optional(),
  description: z.string().optional(),
  subject: nonEmpty.refine((text) => !/[\r\n]/.test(text), 'expected one line'),
  from: mailbox,
  reply_to: mailbox.optional(),
  /** Missing: by hand. */
  schedule: schedule.optional(),
  audience,
  /** Who is in doubt: wait for an operator, or send again once it is proven that nothing went out. */
  in_doubt: z.enum(['hold', 'resend'], { error: 'expected hold or resend' }).default('hold'),
  /** Occurrences missed while everything was down. `latest` by default: a reminder that is late beats one that is lost. */
  catch_up: z.enum(['skip', 'latest'], { error: 'expected skip or latest' }).default('latest'),
  /** More bad rows than this share: the run pauses before anything is sent. */
  max_invalid: share.default(0.2),
  /** Turns that its runs have beside others', for one of theirs. */
  weight: z.number({ error: 'expected a whole number from 1 to 100' }).int().min(1).max(100).default(1),
  /**
   * Mails carry a link and the headers by which recipients leave the campaign (RFC 8058). Mailbox providers ask for it in
   * anything that is sent to many; `no` is for what recipients can't leave, as bills.
   */
  unsubscribe: yesNo.default(true),
  /** RFC 2919. */
  list_id: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+$/, 'expected a name like updates.example.com')
    .optional(),
  /** Missing: links stay as they are, and nothing is counted. */
  links: makeLinksSchema(yesNo.default(false)).optional(),
});

export type CampaignInput = z.infer<typeof CampaignSchema>;
/** A campaign as it is used: everything resolved. */
export type Campaign = Omit<CampaignInput, 'list_id'> & { list_id: string };
export type Schedule = z.infer<typeof schedule>;
export type AudienceDefinition = z.infer<typeof audience>;
export type CatchUpPolicy = CampaignInput['catch_up'];

/** A campaign's id is the name of its folder. `--` separates it from the time in a run's id. */
export const CAMPAIGN_ID = /^(?!.*--)[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/;

/** What the schema does not say by itself, for errors. */
export const YAML_HINTS: YamlHints = {
  keys: {
    '': Object.keys(CampaignSchema.shape),
    schedule: ['cron', 'timezone', 'at'],
    audience: ['csv', 'ndjson', 'address_field'],
    ...LINKS_HINTS.keys,
  },
  expected: {
    '': 'keys and values, as in campaigns/README.md',
    subject: 'a line of text',
    from: ADDRESS_EXPECTED,
    reply_to: ADDRESS_EXPECTED,
    schedule: SCHEDULE_EXPECTED,
    'schedule.cron': '5 fields, as "0 10 * * *"',
    'schedule.timezone': 'one like Europe/Berlin',
    'schedule.at': 'a time with its zone, as "2026-12-01T10:00:00+01:00"',
    audience: AUDIENCE_EXPECTED,
    'audience.csv': 'the path of a file, from the folder of the campaign',
    'audience.ndjson': 'the path of a file, from the folder of the campaign',
    ...LINKS_HINTS.expected,
  },
};
