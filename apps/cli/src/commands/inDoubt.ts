import { maskAddress, parseRecipientAddress } from '@sendonce/shared/audience';
import { openDoubts, settleDoubts } from '@sendonce/shared/control';
import { UsageError } from '@sendonce/shared/runtime';
import { type Command, Option } from 'commander';
import { recordDeed } from '../audit.js';
import { type Context, withContext } from '../context.js';
import { formatDate, print, printTable, remark } from '../output.js';

export function addInDoubtCommand(program: Command): void {
  program
    .command('in-doubt')
    .argument('<run>')
    .addOption(
      new Option('--settle <verdict>', 'they got it, or they shall get it').choices(['sent', 'resend']),
    )
    .option('--address <address>', 'only this recipient')
    .option('--reason <text>', 'goes into the journal', 'by an operator')
    .description('who is in doubt, and settle it')
    .action(
      async (
        run: string,
        { settle, address, reason }: { settle?: 'sent' | 'resend'; address?: string; reason: string },
      ) => {
        await withContext(async (context) => {
          const doubts = await listDoubts(context, run, address);
          if (!settle) {
            printTable(
              ['recipient', 'chunk', 'position', 'claimed (UTC)'],
              doubts.map((doubt) => [
                doubt.address,
                doubt.chunk,
                doubt.position,
                formatDate(doubt.claimedAt),
              ]),
            );
            return print(`${doubts.length} in doubt.`);
          }
          if (address && doubts.length === 0)
            throw new UsageError(`--address: nobody of that address is in doubt in ${run}.`);
          const verdict = { verdict: settle, at: Date.now(), reason, fenceMs: context.settings.fenceMs };
          // Single messages may have several to one address.
          const chosen = address ? doubts.map((only) => ({ ...verdict, only })) : [verdict];
          let [settled, tooYoung] = [0, 0];
          for (const each of chosen) {
            const count = await settleDoubts(context, run, each);
            settled += count.settled;
            tooYoung += count.tooYoung;
          }
          await recordDeed(context, {
            action: 'doubts.settle',
            subject: run,
            outcome: settled > 0 ? 'done' : 'nothing',
            detail: `${settle}, ${address ? maskAddress(address) : 'all'}: ${settled} settled, ${tooYoung} too young; ${reason}`,
          });
          print(`${settled} settled as ${settle === 'sent' ? 'sent' : 'to be sent again'}.`);
          if (tooYoung > 0) {
            const minutes = Math.ceil(context.settings.fenceMs / 60_000);
            remark(
              `${tooYoung} are too young: SES may still accept their request until ${minutes} min after the claim (FENCE_SECONDS). Try again then.`,
            );
            process.exitCode = 1;
          }
        });
      },
    );
}

async function listDoubts(context: Context, run: string, address: string | undefined) {
  const wanted = address === undefined ? undefined : parseRecipientAddress(address);
  if (wanted && 'invalid' in wanted) throw new UsageError(`--address: ${wanted.invalid}`);
  const found = [];
  for await (const doubt of openDoubts(context, run))
    if (!wanted || doubt.address.toLowerCase() === wanted.key) found.push(doubt);
  return found;
}
