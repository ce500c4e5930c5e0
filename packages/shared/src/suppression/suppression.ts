/**
 * One entry of the list: an address gets no mail, of one campaign or of any, since when and why. Also its packed form, which
 * the Lua scripts read and write, too: entries of an address separated by `|`, each `scope,reason,time,run`:
 * `*,b,tdm1ts,news--20261124T100000Z|news,u,tdm0aa,`. A reason is a letter and the time seconds in base 36: Redis keeps
 * small hashes compact only while a value has at most 64 characters.
 */

/** The scope of an entry that holds for all campaigns; else it is a campaign's id, which has no such letter. */
export const EVERYTHING = '*';

/**
 * Weakest first: an entry changes its reason only for a stronger one. `unsubscribe` is the weakest, because the recipients
 * themselves may take it back with the link, and that must not undo what somebody else has decided or found out.
 */
const REASON_LETTERS = {
  unsubscribe: 'u',
  import: 'i',
  /** SES's list of the account says so. */
  ses: 's',
  /** An operator. */
  manual: 'm',
  /** There is no such mailbox, or it refused mails again and again. */
  bounce: 'b',
  /** The recipient called a mail spam. */
  complaint: 'c',
} as const;

export type SuppressionReason = keyof typeof REASON_LETTERS;

export const SUPPRESSION_REASONS = Object.keys(REASON_LETTERS) as SuppressionReason[];

export interface Suppression {
  /** In lower case, the domain in ASCII: the `key` of `parseRecipientAddress`. */
  address: string;
  /** `*` or a campaign's id. */
  scope: string;
  reason: SuppressionReason;
  /** To the second. */
  since: Date;
  /** The run whose mail it was, where there is one. */
  run?: string;
}

/** A script's arguments for an entry: scope, reason's letter, `time,run`. */
export function packEntry({ scope, reason, since, run = '' }: Omit<Suppression, 'address'>): string[] {
  const seconds = Math.floor(since.getTime() / 1_000).toString(36);
  return [scope, REASON_LETTERS[reason], `${seconds},${run}`];
}

/** All entries of an address. */
export function unpackEntries(address: string, packed: string): Suppression[] {
  return packed.split('|').map((entry) => {
    const [scope = '', letter = '', seconds = '', run = ''] = entry.split(',');
    const since = new Date(Number.parseInt(seconds, 36) * 1_000);
    return { address, scope, reason: reasonOf(letter), since, ...(run && { run }) };
  });
}

export function letterOf(reason: SuppressionReason): string {
  return REASON_LETTERS[reason];
}

/** The strengths as Lua: `STRENGTH.b > STRENGTH.u`. */
export function strengthsAsLua(): string {
  const strengths = Object.values(REASON_LETTERS).map((letter, index) => `${letter}=${index}`);
  return `local STRENGTH = {${strengths.join(',')}}`;
}

function reasonOf(letter: string): SuppressionReason {
  const reason = SUPPRESSION_REASONS.find((name) => REASON_LETTERS[name] === letter);
  if (!reason) throw new Error(`The suppression list holds the unknown reason "${letter}".`);
  return reason;
}
