/**
 * What a campaign file may say. Unknown keys are errors: a typing error must not quietly turn a setting off.
 */
import { CronExpressionParser } from 'cron-parser';
import leven from 'leven';
import { z } from 'zod';
import { parseMailbox } from '../audience/address.js';

const nonEmpty = z.string().trim().min(1, 'expected some text');

const mailbox = nonEmpty.transform((text, context) => {
  const parsed = parseMailbox(text);
  if (parsed) return parsed.formatted;
  context.issues.push({
    code: 'custom',
    input: text,
    message: `expected an address, as jane@example.com or "Jane Doe <jane@example.com>"`,
  });
  return z.NEVER;
});

/** A time zone of the IANA database; cron-parser's own error for a bad one names neither the zone nor the field. */
const timezone = nonEmpty.superRefine((name, context) => {
  const zones = Intl.supportedValuesOf('timeZone');
  if (name === 'UTC' || zones.includes(name) || isTimeZone(name)) return;
  const nearest = zones.reduce((best, zone) => (leven(name, zone) < leven(name, best) ? zone : best));
  context.addIssue(`there is no time zone "${name}", did you mean ${nearest}?`);
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /\//.test(name);
  } catch {
    return false;
  }
}

const cron = nonEmpty.superRefine((expression, context) => {
  const fields = expression.split(/\s+/);
  if (fields.length !== 5) {
    context.addIssue(`expected 5 fields (minute hour day-of-month month day-of-week), got ${fields.length}`);
  } else if (/(^|[\s,])H/.test(expression)) {
    // Evaluated anew each time, so that the occurrences before and after a restart would differ.
    context.addIssue('H stands for a random time and would move the schedule at every start: write the time');
  } else {
    try {
      CronExpressionParser.parse(expression);
    } catch (error) {
      context.addIssue(`"${expression}" is no cron expression: ${(error as Error).message}`);
    }
  }
});

const instant = z.iso.datetime({
  offset: true,
  error: 'expected a time with its zone, as "2026-12-01T10:00:00+01:00"',
});

const schedule = z.union([z.strictObject({ cron, timezone }), z.strictObject({ at: instant })], {
  error: 'expected { cron, timezone } or { at }',
});

const address_field = z.string().default('email');
const audience = z.union(
  [z.strictObject({ csv: nonEmpty, address_field }), z.strictObject({ ndjson: nonEmpty, address_field })],
  { error: 'expected { csv: FILE } or { ndjson: FILE }, and maybe address_field' },
);

const share = z
  .union([z.number(), z.string().regex(/^\d+(\.\d+)?%$/)], { error: 'expected a share, as 20% or 0.2' })
  .transform((value) => (typeof value === 'number' ? value : Number.parseFloat(value) / 100))
  .refine((value) => value >= 0 && value <= 1, 'expected a share between 0% and 100%');

/** SES tags and URLs: RFC 3986 unreserved characters that need no quoting anywhere. */
const utmValue = z.string().regex(/^[A-Za-z0-9_.~-]+$/, 'expected letters, digits, and _ . ~ -');

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
  /** RFC 2919. */
  list_id: z
    .string()
    .regex(/^[A-Za-z0-9_.-]+$/, 'expected a name like updates.example.com')
    .optional(),
  utm: z
    .strictObject({ source: utmValue, medium: utmValue, campaign: utmValue, content: utmValue, id: utmValue })
    .partial()
    .optional(),
});

export type CampaignInput = z.infer<typeof CampaignSchema>;
/** A campaign as it is used: everything resolved. */
export type Campaign = Omit<CampaignInput, 'list_id'> & { list_id: string };
export type Schedule = z.infer<typeof schedule>;
export type AudienceDefinition = z.infer<typeof audience>;
export type CatchUpPolicy = CampaignInput['catch_up'];

/** A campaign's id is the name of its folder. `--` separates it from the time in a run's id. */
export const CAMPAIGN_ID = /^(?!.*--)[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$/;

/** The keys that a nested object may have, for "did you mean". */
export const KNOWN_KEYS: Record<string, string[]> = {
  '': Object.keys(CampaignSchema.shape),
  schedule: ['cron', 'timezone', 'at'],
  audience: ['csv', 'ndjson', 'address_field'],
  utm: ['source', 'medium', 'campaign', 'content', 'id'],
};
