/**
 * The world that the model explores: one chunk of one or two recipients, two workers, requests on their way to SES, what SES has
 * accepted, and its events. Time goes in ticks and is kept as ages, so that a world which differs from another one only by
 * the hour is the same world; ages beyond what anything asks for are one age, so that there are finitely many worlds.
 *
 * A worker that is frozen is a worker that does nothing while ticks pass: it can wake at every step of its own.
 */

/** Ticks for which SES takes a signature, at the most. */
export const SIGNATURE_TICKS = 1;
export interface LedgerState {
  /** A letter a recipient, as in ledger/transitions.ts. */
  letters: string;
  claims: { id: number; age: number; positions: number[] }[];
  doubts: { position: number; age: number; claim: number }[];
}

export type Answer = 'accept' | 'release' | 'doubt';

export interface Worker {
  /** Undefined: it has no claim, and may take the chunk's job, however often that is delivered. */
  claim: number | undefined;
  claimAge: number;
  unsent: number[];
  waiting: number[];
  answers: [position: number, answer: Answer][];
}

/** Bytes that SES may still get, whatever has become of their sender. */
interface Request {
  position: number;
  /** Since the time that it is signed with. */
  age: number;
  /** Who waits for the answer; undefined: nobody any more. */
  worker: number | undefined;
}

export interface World {
  ledger: LedgerState;
  workers: Worker[];
  wire: Request[];
  /** How many mails each recipient has. */
  accepted: number[];
  /** Events that have not come yet, with the age of their mail: of this tick, or older. */
  events: { position: number; age: number }[];
  /** An event of a mail of this very tick has come: the stream is alive, and has told everything older. */
  hasFreshEvent: boolean;
  /** Doubts that a reconciler has found absent and is about to send again, with the age of the youngest claim. */
  absent: { positions: number[]; age: number } | undefined;
  deaths: number;
}

export const idleWorker = (): Worker => ({
  claim: undefined,
  claimAge: 0,
  unsent: [],
  waiting: [],
  answers: [],
});

export function startWorld(recipients: number): World {
  return {
    ledger: { letters: 'q'.repeat(recipients), claims: [], doubts: [] },
    workers: [idleWorker(), idleWorker()],
    wire: [],
    accepted: Array.from({ length: recipients }, () => 0),
    events: [],
    hasFreshEvent: false,
    absent: undefined,
    deaths: 0,
  };
}

/** A tick passes for everybody. @param fenceTicks a claim that is two ticks older is old enough for anything. */
export function tick(world: World, fenceTicks: number): World {
  const oldest = fenceTicks + 2;
  const older = <T extends { age: number }>(aged: T, limit: number): T =>
    aged.age < limit ? { ...aged, age: aged.age + 1 } : aged;
  return {
    ...world,
    ledger: {
      ...world.ledger,
      claims: world.ledger.claims.map((claim) => older(claim, oldest)),
      doubts: world.ledger.doubts.map((doubt) => older(doubt, oldest)),
    },
    workers: world.workers.map((worker) =>
      worker.claim === undefined ? worker : { ...worker, claimAge: Math.min(worker.claimAge + 1, oldest) },
    ),
    wire: world.wire
      .map((request) => older(request, SIGNATURE_TICKS + 1))
      // A stale request that nobody waits for is refused, and nobody hears of it.
      .filter(({ age, worker }) => age <= SIGNATURE_TICKS || worker !== undefined),
    events: world.events.map((event) => older(event, 1)),
    hasFreshEvent: false,
    // Older than all others when it is too old to be told from them: then it moves nobody, and is found anew.
    absent: world.absent && older(world.absent, oldest + 1),
  };
}

/** The same text for the same world: what comes in any order is sorted, and the two workers may change places. */
export function keyOf({
  ledger,
  workers,
  wire,
  accepted,
  events,
  hasFreshEvent,
  absent,
  deaths,
}: World): string {
  const requests = (of: number | undefined): string =>
    sorted(wire.filter(({ worker }) => worker === of).map(({ position, age }) => `${position}.${age}`));
  const heads = workers.map(
    ({ claim, claimAge, unsent, waiting, answers }, index) =>
      `${claim}.${claimAge}.${unsent}.${sorted(waiting)}.${sorted(answers)}.${requests(index)}`,
  );
  const late = sorted(events.map(({ position, age }) => `${position}.${age}`));
  const found = absent ? `${absent.positions}.${absent.age}` : '';
  return `${ledgerKey(ledger)}|${sorted(heads)}|${requests(undefined)}|${accepted}|${late}|${hasFreshEvent}|${found}|${deaths}`;
}

export function ledgerKey({ letters, claims, doubts }: LedgerState): string {
  const open = sorted(claims.map(({ id, age, positions }) => `${id}.${age}.${positions}`));
  return `${letters}/${open}/${sorted(doubts.map(({ position, age, claim }) => `${position}.${age}.${claim}`))}`;
}

function sorted(items: readonly unknown[]): string {
  return items.length < 2 ? String(items[0] ?? '') : items.map(String).sort().join(';');
}

/** The least number that no claim goes by: neither in the ledger nor in a worker's head. */
export function freshClaim({ ledger, workers }: World): number {
  const known = new Set([
    ...ledger.claims.map(({ id }) => id),
    ...ledger.doubts.map(({ claim }) => claim),
    ...workers.map(({ claim }) => claim),
  ]);
  let id = 0;
  while (known.has(id)) id += 1;
  return id;
}
