/** `cap` in a campaign file: how many mails of a group of campaigns a person gets within a time. */
import ms from 'ms';
import { z } from 'zod';

const PER_EXPECTED = 'a time with its unit, as 24h or 7d, from 1m (a minute) to 31d';
const MAX_EXPECTED = 'a whole number from 1 to 100';
const GROUP_EXPECTED = 'a name of letters, digits, - and _, at most 64';

const MINUTE_MS = 60_000;
/** Who got what is kept for so long, a few bytes a mail; and nobody thinks of "last quarter" as often. */
const LONGEST_MS = 31 * 86_400_000;

/** YAML takes 24 for a number; of which unit is not to be guessed. */
const per = z.string({ error: `expected ${PER_EXPECTED}` }).refine((text) => {
  const length = /^\d.*[a-z]$/i.test(text.trim()) ? ms(text as ms.StringValue) : Number.NaN;
  return length >= MINUTE_MS && length <= LONGEST_MS;
}, `expected ${PER_EXPECTED}`);

export const CapSchema = z.strictObject({
  /** As it is written, for people; any stretch of time so long. */
  per,
  max: z
    .number({ error: `expected ${MAX_EXPECTED}` })
    .int()
    .min(1)
    .max(100),
  /** All campaigns that name it count together, each by its own `per` and `max`. */
  group: z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/, `expected ${GROUP_EXPECTED}`),
});

export type Cap = z.infer<typeof CapSchema>;

/** How long the stretch of time is, ms. */
export function capPerMs({ per: text }: Cap): number {
  return ms(text as ms.StringValue);
}

export const CAP_HINTS = {
  keys: { cap: ['per', 'max', 'group'] },
  expected: {
    cap: '{ per, max, group }, as { per: 24h, max: 1, group: notifications }',
    'cap.per': PER_EXPECTED,
    'cap.max': MAX_EXPECTED,
    'cap.group': GROUP_EXPECTED,
  },
};
