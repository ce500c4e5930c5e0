/**
 * `npm run chaos -- --rounds N --recipients M --seed S`: rounds of a run with something going wrong, judged by the inbox. A
 * round that fails prints its seed; `--rounds 1 --seed S` plays it again.
 */
import { parseArgs } from 'node:util';
import { playRound, type RoundResult } from './round.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    recipients: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const rounds = Number(values.rounds);
const recipients = Number(values.recipients);
const firstSeed = Number(values.seed);
if (![rounds, recipients, firstSeed].every((value) => Number.isInteger(value) && value > 0)) {
  process.stderr.write('usage: npm run chaos -- [--rounds N] [--recipients M] [--seed S], whole numbers\n');
  process.exit(2);
}

let bad = 0;
const totals = { duplicates: 0, losses: 0, inDoubt: 0, mismatches: 0 };
for (let round = 0; round < rounds; round++) {
  const seed = firstSeed + round;
  try {
    const result = await playRound(seed, recipients);
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += result[name];
    if (!isGood(result)) bad += 1;
    process.stdout.write(`${describe(round, result)}\n`);
  } catch (error) {
    bad += 1;
    process.stdout.write(`round ${round + 1}, seed ${seed}: ${(error as Error).message}\n`);
  }
}
const { duplicates, losses, inDoubt, mismatches } = totals;
process.stdout.write(
  `${rounds} rounds of ${recipients}: ${duplicates} duplicates, ${losses} losses, ${inDoubt} in doubt, ` +
    `${mismatches} where ledger and inbox differ; ${bad} bad rounds\n`,
);
process.exit(bad === 0 ? 0 : 1);

function isGood({ duplicates, losses, inDoubt, mismatches }: RoundResult): boolean {
  return duplicates + losses + inDoubt + mismatches === 0;
}

function describe(round: number, result: RoundResult): string {
  const { plan, duplicates, losses, inDoubt, mismatches, seconds } = result;
  const actions = plan.actions.map(({ action }) => action.kind).join(', ');
  const faults = plan.faults.map(({ fault }) => fault).join(', ') || 'no SES fault';
  const verdict = isGood(result) ? 'ok' : 'BAD';
  return (
    `round ${round + 1}, seed ${plan.seed}: ${verdict}  ${duplicates} duplicates, ${losses} losses, ${inDoubt} in doubt, ` +
    `${mismatches} differ  (${actions}; ${faults}; ${seconds.toFixed(0)} s)`
  );
}
