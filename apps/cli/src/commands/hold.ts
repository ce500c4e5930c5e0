import { readHold, releaseHold, skipForgotten } from '@sendonce/shared/continuity';
import { UsageError } from '@sendonce/shared/runtime';
import { type Command, Option } from 'commander';
import { recordDeed } from '../audit.js';
import { type Context, withContext } from '../context.js';
import { print } from '../output.js';

type Way = 'skip' | 'as-is';

export function addHoldCommand(program: Command): void {
  program
    .command('hold')
    .addOption(
      new Option(
        '--release <way>',
        'go on. skip: what the data do not know to be sent is taken for sent; as-is: the data are right',
      ).choices(['skip', 'as-is']),
    )
    .description('whether everything is held because older data are in Redis; and going on')
    .action(async ({ release }: { release?: Way }) => {
      await withContext(async (context) => {
        const { redis, settings } = context;
        const hold = await readHold(redis, settings.redis.prefix);
        if (!hold) return print('Nothing is held.');
        if (release) return goOn(context, hold.dataAt, release);
        print(`Everything is held since ${hold.since.toISOString()}: ${hold.reason}.`);
        print(
          `The data in Redis are of ${hold.dataAt.toISOString()}. docs/operations.md says how to decide.`,
        );
        process.exitCode = 1;
      });
    });
}

async function goOn(context: Context, dataAt: Date, way: Way): Promise<void> {
  const { redis, settings } = context;
  const { campaignsDir } = settings;
  const skipped =
    way === 'skip' ? await skipForgotten(context, { campaignsDir, dataAt, now: new Date() }) : [];
  if (!(await releaseHold(redis, settings.redis.prefix)))
    throw new UsageError('It was released by somebody else.');
  await recordDeed(context, {
    action: 'hold.release',
    outcome: 'done',
    detail: `${way} ${skipped.join(' ')}`.trim(),
  });
  for (const run of skipped) print(`${run} is cancelled.`);
  print('Goes on.');
}
