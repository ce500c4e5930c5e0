/**
 * `npm run chaos`: rounds of a run with something going wrong, judged by the inbox; ours, and the usual twenty lines with
 * the same plans. A round that fails prints its seed; `--rounds 1 --seed S` plays it again.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { doubtsAllowed } from './plan.js';
import { playRound, type RoundOptions, type RoundResult } from './round.js';

const USAGE =
  'usage: npm run chaos -- [--rounds N] [--recipients M] [--seed S] [--events on|off] [--no-naive] [--cluster]; whole numbers\n';

interface Totals {
  name: string;
  rounds: number;
  mails: number;
  duplicates: number;
  losses: number;
  inDoubt: number;
  mismatches: number;
  /** Rounds in which something was not as it has to be. */
  bad: number;
}

// Whoever is frozen at this moment would never wake: System kills its processes when this one exits.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const options = readArguments();
const ours = totals('sendonce');
const naive = totals('the usual twenty lines');
for (let round = 0; round < options.rounds; round++) {
  const { recipients, hasEvents, isCluster } = options;
  const plan = { seed: options.seed + round, recipients, hasEvents, isCluster };
  await play(ours, plan);
  // The twenty lines know nothing of events, so there is one table to compare with.
  if (options.withNaive) await play(naive, { ...plan, contender: 'naive' });
}
printTable(options.withNaive ? [ours, naive] : [ours]);
process.exit(ours.bad === 0 ? 0 : 1);

function readArguments() {
  try {
    const { values } = parseArgs({
      allowNegative: true,
      options: {
        rounds: { type: 'string', default: '10' },
        recipients: { type: 'string', default: '2000' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        events: { type: 'string', default: 'on' },
        naive: { type: 'boolean', default: true },
        cluster: { type: 'boolean', default: false },
      },
    });
    const [rounds = 0, recipients = 0, seed = 0] = [values.rounds, values.recipients, values.seed].map(
      Number,
    );
    const areWhole = [rounds, recipients, seed].every((value) => Number.isInteger(value) && value > 0);
    if (areWhole && ['on', 'off'].includes(values.events))
      return {
        rounds,
        recipients,
        seed,
        hasEvents: values.events === 'on',
        isCluster: values.cluster,
        // The twenty lines know no cluster.
        withNaive: values.naive && !values.cluster,
      };
  } catch {
    // An unknown option: the usage says which there are.
  }
  process.stderr.write(USAGE);
  process.exit(2);
}

function totals(name: string): Totals {
  return { name, rounds: 0, mails: 0, duplicates: 0, losses: 0, inDoubt: 0, mismatches: 0, bad: 0 };
}

async function play(sum: Totals, round: RoundOptions): Promise<void> {
  sum.rounds += 1;
  try {
    const result = await playRound(round);
    for (const name of ['mails', 'duplicates', 'losses', 'inDoubt', 'mismatches'] as const)
      sum[name] += result[name];
    if (!isGood(result)) sum.bad += 1;
    process.stdout.write(`${describe(sum, result)}\n`);
  } catch (error) {
    sum.bad += 1;
    process.stdout.write(
      `${sum.name}, round ${sum.rounds}, seed ${round.seed}: ${(error as Error).message}\n`,
    );
  }
}

function isGood({ plan, duplicates, losses, inDoubt, mismatches }: RoundResult): boolean {
  return duplicates + losses + mismatches === 0 && inDoubt <= doubtsAllowed(plan);
}

function describe({ name, rounds }: Totals, result: RoundResult): string {
  const { plan, duplicates, losses, inDoubt, mismatches, seconds } = result;
  const actions = plan.actions.map(({ action }) => action.kind).join(', ');
  const faults = plan.faults.map(({ fault }) => fault).join(', ') || 'no SES fault';
  const verdict = isGood(result) ? 'ok ' : 'BAD';
  const numbers = `${duplicates} duplicates, ${losses} losses, ${inDoubt} in doubt, ${mismatches} differ`;
  return `${verdict} round ${rounds}, seed ${plan.seed}, ${name}: ${numbers}  (${actions}; ${faults}; ${seconds.toFixed(0)} s)`;
}

function printTable(rows: Totals[]): void {
  const events = options.hasEvents ? 'with SES events' : 'without SES events';
  const ground = options.isCluster ? ', on a Redis Cluster' : '';
  const table = new Table({
    head: ['', 'mails', 'duplicates', 'losses', 'in doubt', 'ledger ≠ inbox', 'bad rounds'],
    style: { head: [], border: [] },
  });
  for (const { name, mails, duplicates, losses, inDoubt, mismatches, bad, rounds } of rows) {
    const differ = name === naive.name ? '–' : mismatches;
    table.push([name, mails, duplicates, losses, inDoubt, differ, `${bad} of ${rounds}`]);
  }
  const { rounds, recipients, seed } = options;
  process.stdout.write(
    `\n${rounds} rounds of ${recipients} recipients, seed ${seed}, ${events}${ground}\n${table}\n`,
  );
}
