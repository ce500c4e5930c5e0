/**
 * Everything that can happen next in a world. Workers do what apps/worker/src/send.ts does, the reconciler what reconcile.ts
 * and absence.ts do; SES, the network and death do what they like.
 *
 * What is assumed of events, and only used for proof of absence: the stream keeps its order to a tick. An event may take
 * as long as it likes, but no event of a younger mail comes before it.
 */
import type { LedgerOracle } from './ledgerOracle.js';
import {
  type Answer,
  freshClaim,
  idleWorker,
  SIGNATURE_TICKS,
  tick,
  type Worker,
  type World,
} from './world.js';

/** What makes it safe. A test takes one away, and the explorer has to find what comes of it. */
export interface Safeguards {
  /** A claim comes before its request; else a worker sends whom it found queued, and writes that down afterwards. */
  claimsFirst: boolean;
  /** The request carries the claim's time; else that of its sending. */
  signsWithClaimTime: boolean;
  /** One claim is one request; else an answer that was lost makes the SDK send another one. */
  sendsOnce: boolean;
  /** Ticks after which a silent claim is doubt. */
  fenceTicks: number;
  /** Absence is proven by a later mail's event; else silence is enough. */
  provesAbsence: boolean;
}

export const ALL_SAFEGUARDS: Safeguards = {
  claimsFirst: true,
  signsWithClaimTime: true,
  sendsOnce: true,
  fenceTicks: SIGNATURE_TICKS,
  provesAbsence: true,
};

/** How much can happen. Everything in it is tried in every order. */
export interface Scope {
  recipients: number;
  /** How many recipients a worker may claim at once, at the most. */
  batches: number[];
  /** Times a worker may die. */
  deaths: number;
  /** Whether time may pass between a reconciler's look at the doubts and what it does about them. */
  freezesReconciler: boolean;
}

export interface Rules {
  scope: Scope;
  safeguards: Safeguards;
  policy: 'resend' | 'hold';
}

export interface Step {
  /** As a sentence: the kind of step in front of a colon. */
  label: string;
  world: World;
}

export async function stepsFrom(world: World, rules: Rules, oracle: LedgerOracle): Promise<Step[]> {
  const steps: Step[] = [{ label: 'a tick passes', world: tick(world, rules.safeguards.fenceTicks) }];
  for (const index of world.workers.keys()) steps.push(...(await workerSteps(world, index, rules, oracle)));
  for (const index of world.wire.keys()) steps.push(...sesSteps(world, index, rules));
  steps.push(...(await eventSteps(world, oracle)));
  steps.push(...(await reconcileSteps(world, rules, oracle)));
  return steps;
}

async function workerSteps(world: World, index: number, rules: Rules, oracle: LedgerOracle): Promise<Step[]> {
  const { safeguards, scope } = rules;
  const worker = world.workers[index] as Worker;
  const name = `worker ${'AB'[index]}`;
  const become = (next: Worker, rest: Partial<World> = {}): World => ({
    ...world,
    ...rest,
    workers: world.workers.map((other, at) => (at === index ? next : other)),
  });
  if (worker.claim === undefined) return claimSteps(world, name, become, rules, oracle);

  const steps: Step[] = [];
  for (const position of worker.unsent) {
    const age = safeguards.signsWithClaimTime ? worker.claimAge : 0;
    const sent = {
      ...worker,
      unsent: without(worker.unsent, position),
      waiting: [...worker.waiting, position],
    };
    const wire = [...world.wire, { position, age: Math.min(age, SIGNATURE_TICKS + 1), worker: index }];
    steps.push({ label: `${name} sends: ${position}`, world: become(sent, { wire }) });
  }
  for (const position of worker.waiting)
    steps.push({
      label: `${name} gives up waiting: ${position}`,
      world: unanswered(world, index, position, safeguards),
    });
  if (worker.waiting.length === 0) {
    // Whoever is not tried yet may be given back at any time: the process stops, the run is paused, SES refuses everybody.
    const answers = [...worker.answers, ...worker.unsent.map((p): [number, Answer] => [p, 'release'])];
    const taken = safeguards.claimsFirst
      ? world.ledger
      : (await oracle.claim(world.ledger, worker.claim, answers.length)).state;
    const { state } = await oracle.settle(taken, worker.claim, answers.sort());
    steps.push({
      label: `${name} settles: ${answers.join(' ')}`,
      world: become(idleWorker(), { ledger: state }),
    });
  }
  if (world.deaths < scope.deaths) {
    const wire = world.wire.map((request) =>
      request.worker === index ? { ...request, worker: undefined } : request,
    );
    steps.push({ label: `${name} dies`, world: become(idleWorker(), { wire, deaths: world.deaths + 1 }) });
  }
  return steps;
}

async function claimSteps(
  world: World,
  name: string,
  become: (worker: Worker, rest?: Partial<World>) => World,
  { safeguards: { claimsFirst }, scope }: Rules,
  oracle: LedgerOracle,
): Promise<Step[]> {
  const claim = freshClaim(world);
  if (!claimsFirst) {
    const unsent = [...world.ledger.letters].flatMap((letter, position) =>
      letter === 'q' ? [position] : [],
    );
    if (unsent.length === 0) return [];
    return [
      {
        label: `${name} takes without a claim: ${unsent}`,
        world: become({ ...idleWorker(), claim, unsent }),
      },
    ];
  }
  const steps: Step[] = [];
  for (const limit of scope.batches) {
    const { state, positions } = await oracle.claim(world.ledger, claim, limit);
    if (positions.length === 0) continue;
    steps.push({
      label: `${name} claims: ${positions}`,
      world: become({ ...idleWorker(), claim, unsent: positions }, { ledger: state }),
    });
  }
  return steps;
}

/** SES takes a request in: it accepts or throttles what is signed freshly, and refuses the rest. Its answer may get lost. */
function sesSteps(world: World, index: number, { safeguards }: Rules): Step[] {
  const request = world.wire[index];
  if (!request) return [];
  const { position, age, worker } = request;
  const taken: World = { ...world, wire: world.wire.filter((_, at) => at !== index) };
  if (age > SIGNATURE_TICKS)
    return [
      { label: `SES refuses as expired: ${position}`, world: answered(taken, worker, position, 'release') },
    ];
  const accepted: World = {
    ...taken,
    accepted: taken.accepted.map((count, recipient) => (recipient === position ? count + 1 : count)),
    events: [...taken.events, { position, age: 0 }],
  };
  const steps = [
    { label: `SES accepts: ${position}`, world: answered(accepted, worker, position, 'accept') },
    { label: `SES throttles: ${position}`, world: answered(taken, worker, position, 'release') },
  ];
  if (worker !== undefined)
    steps.push({
      label: `SES accepts, the answer is lost: ${position}`,
      world: unanswered(accepted, worker, position, safeguards),
    });
  return steps;
}

function answered(world: World, worker: number | undefined, position: number, answer: Answer): World {
  if (worker === undefined) return world;
  return {
    ...world,
    workers: world.workers.map((one, at) =>
      at === worker
        ? { ...one, waiting: without(one.waiting, position), answers: [...one.answers, [position, answer]] }
        : one,
    ),
  };
}

/** No answer: doubt. A request that is still on its way stays there, and nobody waits for it any more. */
function unanswered(world: World, worker: number, position: number, { sendsOnce }: Safeguards): World {
  const wire = world.wire.map((request) =>
    request.worker === worker && request.position === position ? { ...request, worker: undefined } : request,
  );
  if (sendsOnce) return answered({ ...world, wire }, worker, position, 'doubt');
  return { ...world, wire: [...wire, { position, age: 0, worker }].slice(-3) };
}

async function eventSteps(world: World, oracle: LedgerOracle): Promise<Step[]> {
  const hasOlder = world.events.some(({ age }) => age > 0);
  const steps: Step[] = [];
  for (const [index, { position, age }] of world.events.entries()) {
    if (hasOlder && age === 0) continue;
    const { state } = await oracle.evidence(world.ledger, position);
    const events = world.events.filter((_, at) => at !== index);
    const hasFreshEvent = world.hasFreshEvent || age === 0;
    steps.push({
      label: `an event comes: ${position}`,
      world: { ...world, ledger: state, events, hasFreshEvent },
    });
  }
  if (!hasOlder && !world.hasFreshEvent)
    steps.push({ label: 'the event of a probe comes', world: { ...world, hasFreshEvent: true } });
  return steps;
}

async function reconcileSteps(
  world: World,
  { safeguards, policy, scope }: Rules,
  oracle: LedgerOracle,
): Promise<Step[]> {
  const steps: Step[] = [];
  const { ledger, absent } = world;
  const expired = await oracle.expire(ledger, safeguards.fenceTicks);
  if (expired.positions.length > 0 || expired.state.claims.length < ledger.claims.length)
    steps.push({ label: `claims run out: ${expired.positions}`, world: { ...world, ledger: expired.state } });
  if (policy === 'hold') return steps;
  if (absent) {
    const { state, positions } = await oracle.resend(ledger, absent.positions, absent.age);
    steps.push({
      label: `queued again: ${positions}`,
      world: { ...world, ledger: state, absent: undefined },
    });
    return steps;
  }
  // A mail of this tick has told of itself: what a claim older than the fence has sent would have told of itself before.
  const isAbsent = ({ age }: { age: number }): boolean =>
    age > safeguards.fenceTicks && (world.hasFreshEvent || !safeguards.provesAbsence);
  const found = ledger.doubts.filter(isAbsent);
  if (found.length === 0) return steps;
  const positions = found.map(({ position }) => position).sort();
  const age = Math.min(...found.map((doubt) => doubt.age));
  if (scope.freezesReconciler) {
    steps.push({ label: `found absent: ${positions}`, world: { ...world, absent: { positions, age } } });
  } else {
    const { state } = await oracle.resend(ledger, positions, age);
    steps.push({ label: `queued again: ${positions}`, world: { ...world, ledger: state } });
  }
  return steps;
}

function without(positions: readonly number[], position: number): number[] {
  return positions.filter((other) => other !== position);
}
