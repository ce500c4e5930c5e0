/**
 * When administrators are told of what: at once of a new kind of error, then at growing intervals how often it came; never
 * more mails an hour than they want, and never a number that does not add up.
 *
 * Plain functions over a plain state: where it lives (alertStore.ts) decides who shares it. All processes that share a Redis
 * are one; a process that can't reach it is on its own.
 *
 *   occurrence ─▶ pending ──take──▶ leased ──confirm──▶ told
 *                    ▲                 │
 *                    └─fail, or nobody─┘
 *                      confirmed in time
 */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How long a kind of error is not told again after its first, second… mail. */
export const INTERVALS_MS = [5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS];
/** After this long without a word a kind is new again. */
const FORGET_MS = 24 * HOUR_MS;
/** A mail that nobody confirmed in this time is taken for not sent: whoever sent it has died. */
const LEASE_MS = MINUTE_MS;
const RETRY_MS = MINUTE_MS;
/** The share of an hour's mails that may go out one after the other; the rest is spread over the hour. */
const AT_ONCE = 0.6;
/** A condition that is over by then is not told: processes start one after the other, and some troubles mend themselves. */
const GRACE_MS = 20 * SECOND_MS;
/** Kinds at a time. Beyond them errors are counted, not told apart. */
const MAX_KINDS = 100;
/** Conditions at a time, beside the kinds: a storm of errors must not hide that no worker is there. */
const MAX_CONDITIONS = 100;
const FURTHER = 'further';

/** What happened, scrubbed and ready to be read. */
export interface Occurrence {
  fingerprint: string;
  /** One line. */
  title: string;
  /** Further lines: the message, ids, the stack. */
  detail: string;
  /** Path of the page that helps, or a whole URL. */
  page?: string;
  /** Where it happened: process, host, version. */
  source: string;
}

/** The same, several times. */
export interface Counted {
  occurrence: Occurrence;
  count: number;
  firstAt: number;
  lastAt: number;
}

/** What is wrong for a time: it opens, and it is resolved. */
export interface Condition {
  /** The same as long as it is the same trouble. */
  key: string;
  title: string;
  detail?: string;
  page?: string;
}

interface Kind extends Occurrence {
  firstAt: number;
  lastAt: number;
  /** Of this episode, told or not. */
  total: number;
  pending: number;
  leased: number;
  leasedUntil: number;
  /** Mails about it so far. */
  told: number;
  notBefore: number;
  /** Of a condition: whether it lasts. */
  isOpen?: boolean;
  resolvedAt?: number;
}

export interface AlertState {
  kinds: Record<string, Kind>;
  /** When mails went out in the last hour. */
  mails: number[];
}

export interface Limits {
  mailsPerHour: number;
  intervalsMs: readonly number[];
}

/** A line of a mail. */
export interface Told extends Occurrence {
  /** Since the last mail. */
  count: number;
  total: number;
  firstAt: number;
  lastAt: number;
  isCondition: boolean;
  resolvedAt?: number;
  /** When it may be told again, if it comes again. */
  nextAfterMs: number;
}

/** One mail. */
export interface Batch {
  takenAt: number;
  told: Told[];
}

export function emptyState(): AlertState {
  return { kinds: {}, mails: [] };
}

/** Counts `count` occurrences of an error between two times. */
export function note(
  state: AlertState,
  occurrence: Occurrence,
  { count, firstAt, lastAt }: Omit<Counted, 'occurrence'>,
): void {
  const kind = kindOf(state, occurrence, firstAt);
  kind.total += count;
  kind.pending += count;
  kind.lastAt = Math.max(kind.lastAt, lastAt);
}

/** Tells which conditions there are now, of all there could be; the others are resolved. */
export function setConditions(
  state: AlertState,
  conditions: readonly Condition[],
  { now, source }: { now: number; source: string },
): void {
  const kept = withinRoom(state, conditions);
  for (const { key, title, detail = '', page } of kept) {
    const occurrence = { fingerprint: `condition:${key}`, title, detail, source, ...(page && { page }) };
    const known = state.kinds[occurrence.fingerprint];
    if (known?.isOpen) Object.assign(known, { title, detail, lastAt: now });
    else openCondition(state, occurrence, now);
  }
  const lasting = new Set(kept.map(({ key }) => `condition:${key}`));
  for (const kind of Object.values(state.kinds))
    if (kind.isOpen && !lasting.has(kind.fingerprint)) resolveCondition(kind, now);
  forgetResolved(state);
}

/** Those that are known stay, so that a condition does not come and go with its place on the list. */
function withinRoom(state: AlertState, conditions: readonly Condition[]): readonly Condition[] {
  if (conditions.length <= MAX_CONDITIONS) return conditions;
  const isKnown = ({ key }: Condition): boolean => state.kinds[`condition:${key}`]?.isOpen === true;
  const known = conditions.filter(isKnown);
  const kept = [...known, ...conditions.filter((one) => !isKnown(one))].slice(0, MAX_CONDITIONS - 1);
  const rest = conditions.length - kept.length;
  return [...kept, { key: FURTHER, title: `${rest} further troubles beside ${kept.length}`, page: '/' }];
}

/** Each paused run is a condition of its own: what is over and told makes room, the oldest first. */
function forgetResolved(state: AlertState): void {
  const resolved = Object.entries(state.kinds)
    .filter(([, { isOpen, pending, leased }]) => isOpen === false && pending + leased === 0)
    .sort(([, a], [, b]) => b.lastAt - a.lastAt);
  for (const [key] of resolved.slice(MAX_CONDITIONS)) delete state.kinds[key];
}

function openCondition(state: AlertState, occurrence: Occurrence, now: number): void {
  const kind = kindOf(state, occurrence, now, true);
  kind.isOpen = true;
  kind.lastAt = now;
  // It was gone for so short a time that nobody has heard of it: nothing to tell.
  if (kind.resolvedAt) {
    delete kind.resolvedAt;
    kind.pending = 0;
    return;
  }
  kind.firstAt = now;
  kind.total += 1;
  kind.pending = 1;
  kind.notBefore = Math.max(kind.notBefore, now + GRACE_MS);
}

function resolveCondition(kind: Kind, now: number): void {
  kind.isOpen = false;
  const isUntold = kind.pending > 0;
  // Nobody has heard of it: nothing to tell.
  kind.pending = isUntold ? 0 : 1;
  if (isUntold) return;
  kind.resolvedAt = now;
  kind.notBefore = now;
}

function kindOf(state: AlertState, occurrence: Occurrence, now: number, isCondition = false): Kind {
  forgetOld(state, now);
  const kinds = Object.values(state.kinds).filter(({ isOpen }) => isOpen === undefined);
  const isRoom = isCondition || kinds.length < MAX_KINDS;
  const key = occurrence.fingerprint in state.kinds || isRoom ? occurrence.fingerprint : FURTHER;
  const kind = state.kinds[key];
  if (kind) {
    // The latest is told: it is the one that can still be looked at.
    if (key !== FURTHER) Object.assign(kind, occurrence);
    return kind;
  }
  const told: Occurrence =
    key === FURTHER
      ? {
          ...occurrence,
          fingerprint: FURTHER,
          title: `further kinds of errors than ${MAX_KINDS}`,
          detail: '',
        }
      : occurrence;
  state.kinds[key] = {
    ...told,
    firstAt: now,
    lastAt: now,
    total: 0,
    pending: 0,
    leased: 0,
    leasedUntil: 0,
    told: 0,
    notBefore: 0,
  };
  return state.kinds[key];
}

function forgetOld(state: AlertState, now: number): void {
  for (const [key, kind] of Object.entries(state.kinds)) {
    const isIdle = kind.pending + kind.leased === 0 && !kind.isOpen;
    if (isIdle && now - kind.lastAt > FORGET_MS) delete state.kinds[key];
  }
}

/** Takes what is to be told now, in one mail; whoever gets it has to send it, and to confirm or fail it. */
export function take(state: AlertState, now: number, limits: Limits): Batch | undefined {
  state.mails = state.mails.filter((at) => now - at < HOUR_MS);
  for (const kind of Object.values(state.kinds)) if (kind.leased > 0 && kind.leasedUntil < now) putBack(kind);
  const due = Object.values(state.kinds).filter(
    ({ pending, leased, notBefore }) => pending > 0 && leased === 0 && notBefore <= now,
  );
  if (due.length === 0 || !mayMail(state, now, limits.mailsPerHour)) return undefined;
  state.mails.push(now);
  return { takenAt: now, told: due.map((kind) => lease(kind, now, limits)) };
}

function mayMail({ mails }: AlertState, now: number, mailsPerHour: number): boolean {
  if (mails.length >= mailsPerHour) return false;
  const atOnce = Math.max(1, Math.ceil(mailsPerHour * AT_ONCE));
  const pauseMs = HOUR_MS / (mailsPerHour - atOnce + 1);
  return mails.length < atOnce || now - Math.max(...mails) >= pauseMs;
}

function lease(kind: Kind, now: number, limits: Limits): Told {
  kind.leased += kind.pending;
  kind.pending = 0;
  kind.leasedUntil = now + LEASE_MS;
  const { fingerprint, title, detail, page, source, total, firstAt, lastAt, resolvedAt } = kind;
  return {
    ...{ fingerprint, title, detail, source, total, firstAt, lastAt, count: kind.leased },
    isCondition: kind.isOpen !== undefined,
    nextAfterMs: intervalAfter(kind.told, limits),
    ...(page && { page }),
    ...(resolvedAt && { resolvedAt }),
  };
}

function intervalAfter(told: number, { intervalsMs }: Limits): number {
  return intervalsMs[Math.min(told, intervalsMs.length - 1)] ?? 0;
}

/** The mail is out. */
export function confirm(state: AlertState, { told }: Batch, now: number, limits: Limits): void {
  for (const { fingerprint, count, resolvedAt } of told) {
    const kind = state.kinds[fingerprint];
    if (!kind) continue;
    kind.leased = Math.max(0, kind.leased - count);
    kind.notBefore = now + intervalAfter(kind.told, limits);
    kind.told += 1;
    if (resolvedAt && kind.resolvedAt === resolvedAt) delete kind.resolvedAt;
  }
}

/** The mail could not be sent, by any way. Tried again in a minute, together with what has come by then. */
export function fail(state: AlertState, { told, takenAt }: Batch, now: number): void {
  for (const { fingerprint } of told) {
    const kind = state.kinds[fingerprint];
    if (!kind) continue;
    putBack(kind);
    kind.notBefore = now + RETRY_MS;
  }
  const at = state.mails.indexOf(takenAt);
  if (at >= 0) state.mails.splice(at, 1);
}

/** What somebody else may count and tell instead. */
export function untold(state: AlertState): Counted[] {
  return Object.values(state.kinds)
    .filter(({ pending, leased, isOpen }) => pending + leased > 0 && isOpen === undefined)
    .map(({ fingerprint, title, detail, page, source, pending, leased, firstAt, lastAt }) => ({
      occurrence: { fingerprint, title, detail, source, ...(page && { page }) },
      count: pending + leased,
      firstAt,
      lastAt,
    }));
}

function putBack(kind: Kind): void {
  kind.pending += kind.leased;
  kind.leased = 0;
}
