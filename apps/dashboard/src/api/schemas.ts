/** What goes in and out, by name. The OpenAPI document takes these as its components. */
import { parseRecipientAddress } from '@sendonce/shared/audience';
import { STATE_NAMES } from '@sendonce/shared/ledger';
import {
  MAIL_OUTCOME_NAMES,
  NUMBER_NAMES,
  RUN_ORIGINS,
  RUN_OUTCOME_NAMES,
  RUN_STATUSES,
  type RunJson,
} from '@sendonce/shared/run';
import { EVERYTHING, SUPPRESSION_REASONS } from '@sendonce/shared/suppression';
import { z } from 'zod';

/** Schemas with a name of their own in the document. */
export const components = new Map<string, z.ZodType>();

function component<Schema extends z.ZodType>(name: string, schema: Schema): Schema {
  components.set(name, schema);
  return schema;
}

const time = z.iso.datetime({ offset: true });
const count = z.int().min(0);

/** Names of things that are there or are not: what is no name is not there, and no error of its own. */
export const campaignId = z.string().min(1).max(100);
export const runId = z.string().min(1).max(120);

const counts = <Name extends string>(names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, count])) as Record<Name, typeof count>;

const RunShape = z.object({
  run: z.string().meta({ description: 'Its id: the campaign and the scheduled time.' }),
  campaign: z.string(),
  origin: z.enum(RUN_ORIGINS),
  status: z.enum(RUN_STATUSES).meta({
    description:
      'collecting: single messages are taken in. settling: only doubts are left. finished: everybody is in a final state.',
  }),
  pause_reason: z.string().exactOptional(),
  pause_cause: z.enum(['operator', 'campaign', 'account', 'quota', 'reputation', 'redis']).exactOptional(),
  retry_at: time.exactOptional().meta({ description: 'Not before this time it is tried again by itself.' }),
  scheduled_at: time,
  created_at: time,
  frozen_at: time.exactOptional(),
  paused_at: time.exactOptional(),
  cancelled_at: time.exactOptional(),
  finished_at: time.exactOptional(),
  chunks: count,
  ...counts(NUMBER_NAMES),
  ...counts(RUN_OUTCOME_NAMES),
}) satisfies z.ZodType<RunJson>;
export const Run = component(
  'Run',
  RunShape.meta({
    description:
      'After the last queued one, audience = duplicates + invalid + suppressed + sent + rejected + in_doubt + cancelled.',
  }),
);

const clicks = { human: count, scanner: count };

export const Report = component(
  'Report',
  z.object({
    run: z.string(),
    campaign: z.string(),
    status: RunShape.shape.status,
    scheduled_at: time,
    finished_at: time.nullable(),
    ...counts(NUMBER_NAMES),
    ...counts(RUN_OUTCOME_NAMES),
    clicks: z.object({
      ...clicks,
      unique: count.meta({ description: 'Different people, within 1%.' }),
      rate: z.number().meta({ description: 'People for each mail that arrived, 0 to 1.' }),
      by_link: z
        .array(z.object({ link: z.string().nullable(), ...clicks }))
        .meta({ description: '`null`: links that were not sent.' }),
      by_hour: z.array(z.object({ hour: time.nullable(), ...clicks })),
    }),
  }),
);

export const Message = component(
  'Message',
  z.object({
    key: z.string().meta({ description: 'The Idempotency-Key.' }),
    template: z.string(),
    status: z.enum(STATE_NAMES).meta({
      description:
        'Of the mail: in_doubt is settled by events of SES, by proof of absence, or by an operator.',
    }),
    accepted_at: time,
    run: z.string().meta({ description: 'The run that it was collected in.' }),
    message_id: z.string().exactOptional().meta({ description: "SES's." }),
    sent_at: time.exactOptional(),
    reason: z.string().exactOptional().meta({ description: 'Why it was not sent, or is in doubt.' }),
    outcomes: z.array(z.enum(MAIL_OUTCOME_NAMES)).exactOptional(),
  }),
);

const CampaignProblem = component(
  'CampaignProblem',
  z.object({
    campaign: z.string(),
    file: z.string().meta({ description: 'From the folder of the campaigns.' }),
    line: count.optional(),
    column: count.optional(),
    message: z.string(),
    expected: z.string().optional(),
  }),
);

export const Campaigns = z.object({
  campaigns: z.array(
    z.object({
      campaign: z.string(),
      name: z.string().optional(),
      subject: z.string(),
      cron: z.string().optional(),
      timezone: z.string().optional(),
      next_at: time.optional().meta({ description: 'Missing: nothing is scheduled.' }),
    }),
  ),
  problems: z.array(CampaignProblem).meta({ description: 'Of the files of campaigns that are not listed.' }),
});

export const Runs = z.object({
  runs: z.array(Run),
  before: z
    .string()
    .optional()
    .meta({ description: 'Give this back for the next page; missing on the last.' }),
});

/** The reason is told about the address, never with it. */
export const address = z
  .string()
  .max(320)
  .transform((text, context) => {
    const parsed = parseRecipientAddress(text);
    if (!('invalid' in parsed)) return parsed.key;
    context.addIssue(`The address can't be used: ${parsed.invalid}`);
    return z.NEVER;
  });

export const scope = z
  .union([campaignId.regex(/^[\w-]+$/), z.literal(EVERYTHING)], 'Expected a campaign, or * for any.')
  .default(EVERYTHING)
  .meta({ description: 'A campaign, or * for any.' });

export const reason = z.enum(SUPPRESSION_REASONS).default('manual').meta({
  description: 'The recipient can take back `unsubscribe` by the link in a mail, and nothing else.',
});

const SuppressionEntry = component(
  'SuppressionEntry',
  z.object({
    campaign: z.string(),
    reason: z.enum(SUPPRESSION_REASONS),
    time,
    run: z.string().optional().meta({ description: 'Whose mail it was, where there is one.' }),
  }),
);

export const Suppression = component(
  'Suppression',
  z.object({ address: z.string(), ...SuppressionEntry.shape }),
);

export const AddressSuppressions = component(
  'AddressSuppressions',
  z.object({ address: z.string(), entries: z.array(SuppressionEntry) }),
);

export const SuppressionsReport = z.object({ added: count, known: count, strengthened: count });

export const Problem = component(
  'Problem',
  z
    .object({
      type: z.string(),
      title: z.string(),
      status: count,
      detail: z.string().optional(),
      errors: z
        .array(
          z.object({ detail: z.string(), pointer: z.string().optional(), parameter: z.string().optional() }),
        )
        .optional(),
      problems: z.array(CampaignProblem).optional(),
      scope: z.string().optional(),
      run: Run.optional().meta({ description: 'As it is.' }),
    })
    .meta({ description: 'RFC 9457. `type` leads to its line on this page.' }),
);
