/**
 * The states of a recipient in a run, and every transition there is. This table is the one place that holds the machine:
 * the Lua scripts get it as a prelude, the tests enumerate it, docs/reliability.md draws it.
 *
 * A state is one letter in the chunk's string of states: a million recipients are about a megabyte.
 */
export const STATES = {
  queued: 'q',
  claimed: 'c',
  sent: 's',
  rejected: 'r',
  in_doubt: 'd',
  suppressed: 'x',
  cancelled: 'z',
} as const;

export type RecipientState = keyof typeof STATES;

/** In the order of the numbers that scripts return. */
export const STATE_NAMES = Object.keys(STATES) as RecipientState[];

/** What a recipient is frozen as. */
const INITIAL_STATES = ['queued', 'suppressed'] as const satisfies RecipientState[];

/** What happens to a recipient. Every event has one target, so that an event which comes twice changes nothing. */
export const TRANSITIONS = {
  /** A worker takes the recipient; only whoever holds the claim sends. */
  claim: { from: ['queued'], to: 'claimed' },
  /** SES answered with a MessageId. Wins over doubt and over a resend that has not been claimed: the mail is out. */
  accept: { from: ['claimed', 'in_doubt', 'queued'], to: 'sent' },
  /** SES refused for good. */
  reject: { from: ['claimed', 'in_doubt'], to: 'rejected' },
  /** Certainly not sent: throttled, connection refused, signature expired, quota, paused. */
  release: { from: ['claimed', 'in_doubt'], to: 'queued' },
  /** No answer, a 5xx, a reset, or the worker died. */
  doubt: { from: ['claimed'], to: 'in_doubt' },
  /** An SES event with the recipient's tag came: the mail is out, whatever we thought. */
  evidence: { from: ['claimed', 'in_doubt', 'queued'], to: 'sent' },
  /** An operator knows that the mail went out. */
  confirm: { from: ['in_doubt'], to: 'sent' },
  /** The fence has passed and absence is proven, or an operator decided. */
  resend: { from: ['in_doubt'], to: 'queued' },
  /** An operator tries a refused recipient again after a repair. */
  retry: { from: ['rejected'], to: 'queued' },
  /** The run was cancelled. */
  cancel: { from: ['queued'], to: 'cancelled' },
  /** The claim's holder found the address on the suppression list, and has not sent. */
  suppress: { from: ['claimed', 'in_doubt'], to: 'suppressed' },
} as const satisfies Record<string, { from: RecipientState[]; to: RecipientState }>;

export type LedgerEvent = keyof typeof TRANSITIONS;

/** Whether the table has this transition. */
export function isLegal(from: RecipientState, event: LedgerEvent): boolean {
  return (TRANSITIONS[event].from as readonly RecipientState[]).includes(from);
}

/** The table as Lua: `TO.accept == "s"`, `MAY.accept.c == true`. */
export function transitionsAsLua(): string {
  const events = Object.entries(TRANSITIONS);
  const to = events.map(([event, { to }]) => `${event}='${STATES[to]}'`);
  const may = events.map(
    ([event, { from }]) => `${event}={${from.map((state) => `${STATES[state]}=true`).join(',')}}`,
  );
  return `local TO = {${to.join(',')}}\nlocal MAY = {${may.join(',')}}\nlocal STATES = '${Object.values(STATES).join('')}'`;
}

/** The table as a Mermaid state diagram, for the docs. */
export function transitionsAsMermaid(): string {
  const arrows = Object.entries(TRANSITIONS).flatMap(([event, { from, to }]) =>
    from.map((state) => `  ${state} --> ${to}: ${event}`),
  );
  const starts = INITIAL_STATES.map((state) => `  [*] --> ${state}: freeze`);
  return ['stateDiagram-v2', ...starts, ...arrows].join('\n');
}
