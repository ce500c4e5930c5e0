/**
 * Every world that can come of the first one, breadth first, so that what it finds is found by the shortest way. Safety is
 * looked at in each world; that nobody is given up is a question to the whole graph: is there, from every world, a way to
 * a good end?
 */
import type { LedgerOracle } from './ledgerOracle.js';
import { type Rules, stepsFrom } from './steps.js';
import { keyOf, startWorld, type World } from './world.js';

export interface Exploration {
  worlds: number;
  steps: number;
  /** The kinds of steps that were taken: `worker A sends: 1` is of the kind `worker sends`. */
  kinds: Set<string>;
  /** The shortest way to something that must not be; undefined: there is none. */
  violation?: { what: string; trace: string[] };
}

export async function explore(rules: Rules, oracle: LedgerOracle): Promise<Exploration> {
  const graph = new Graph();
  const kinds = new Set<string>();
  const result = (violation?: Exploration['violation']): Exploration => ({
    worlds: graph.worlds,
    steps: graph.steps,
    kinds,
    ...(violation && { violation }),
  });

  // Worlds by number. One that has been looked at is let go: there are millions.
  const open: (World | undefined)[] = [startWorld(rules.scope.recipients)];
  graph.enter(keyOf(open[0] as World), -1, 'start');
  for (let number = 0; number < open.length; number++) {
    const world = open[number] as World;
    open[number] = undefined;
    const what = wrongIn(world);
    if (what) return result({ what, trace: graph.traceTo(number) });
    if (isGoodEnd(world, rules)) graph.goodEnds.push(number);
    for (const step of await stepsFrom(world, rules, oracle)) {
      kinds.add(step.label.replace(/ [AB]\b/, '').replace(/:.*/, ''));
      if (graph.enter(keyOf(step.world), number, step.label)) open.push(step.world);
    }
  }
  const lost = graph.firstWithoutEnd();
  return result(
    lost === undefined ? undefined : { what: 'no way to a good end', trace: graph.traceTo(lost) },
  );
}

/** @returns what must not be, or undefined. */
function wrongIn({ accepted, ledger: { letters } }: World): string | undefined {
  if (accepted.some((count) => count > 1)) return 'a recipient has two mails';
  if ([...letters].some((letter, position) => letter === 's' && accepted[position] === 0))
    return 'somebody who has no mail is held to be served';
  return undefined;
}

/** Everybody has one mail and is known to have it; with `hold` whoever is in doubt waits for an operator. */
function isGoodEnd({ accepted, ledger: { letters } }: World, { policy }: Rules): boolean {
  return [...letters].every(
    (letter, position) =>
      (letter === 's' && accepted[position] === 1) || (letter === 'd' && policy === 'hold'),
  );
}

/** Worlds by number, in the order in which they were found, and the steps between them. */
class Graph {
  readonly goodEnds: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #parents: number[] = [];
  readonly #labels: string[] = [];
  readonly #from = new Numbers();
  readonly #to = new Numbers();
  readonly #knownLabels = new Map<string, string>();

  get worlds(): number {
    return this.#numbers.size;
  }

  get steps(): number {
    return this.#to.length;
  }

  /** @returns whether the world is new. */
  enter(key: string, parent: number, label: string): boolean {
    const known = this.#numbers.get(key);
    const number = known ?? this.#numbers.size;
    if (known === undefined) {
      this.#numbers.set(key, number);
      this.#parents.push(parent);
      this.#labels.push(this.#shared(label));
    }
    if (parent >= 0) {
      this.#from.push(parent);
      this.#to.push(number);
    }
    return known === undefined;
  }

  traceTo(number: number): string[] {
    const trace: string[] = [];
    for (let at = number; at > 0; at = this.#parents[at] ?? 0) trace.unshift(this.#labels[at] ?? '');
    return trace;
  }

  /** Backwards from all good ends: the first world that is never met. */
  firstWithoutEnd(): number | undefined {
    const hasEnd = new Uint8Array(this.worlds);
    for (const number of this.goodEnds) hasEnd[number] = 1;
    // Steps lead mostly from lower numbers to higher ones, so a few rounds over all of them, last first, reach everything.
    for (let isGrowing = true; isGrowing; ) {
      isGrowing = false;
      for (let step = this.steps - 1; step >= 0; step--) {
        const from = this.#from.at(step);
        if (hasEnd[from] || !hasEnd[this.#to.at(step)]) continue;
        hasEnd[from] = 1;
        isGrowing = true;
      }
    }
    const lost = hasEnd.indexOf(0);
    return lost === -1 ? undefined : lost;
  }

  /** One text for the same label, however often it is made. */
  #shared(label: string): string {
    const known = this.#knownLabels.get(label);
    if (known === undefined) this.#knownLabels.set(label, label);
    return known ?? label;
  }
}

/** A list of numbers in four bytes each. */
class Numbers {
  #values = new Uint32Array(1_024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const longer = new Uint32Array(this.#length * 2);
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.#length++] = value;
  }

  at(index: number): number {
    return this.#values[index] ?? 0;
  }
}
