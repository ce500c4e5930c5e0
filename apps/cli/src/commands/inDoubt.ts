import { parseRecipientAddress } from '@sendonce/shared/audience';
import { settleDoubts } from '@sendonce/shared/control';
import { UsageError } from '@sendonce/shared/runtime';
import { type Command, Option } from 'commander';
import { type Context, withContext } from '../context.js';
import { formatDate, print, printTable } from '../output.js';

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
          const [only] = doubts;
          const count = await settleDoubts(context, run, settle, {
            at: Date.now(),
            reason,
            ...(address && only && { only }),
          });
          print(`${count} settled as ${settle === 'sent' ? 'sent' : 'to be sent again'}.`);
        });
      },
    );
}

async function listDoubts({ ledger, runs }: Context, run: string, address: string | undefined) {
  const wanted = address === undefined ? undefined : parseRecipientAddress(address);
  if (wanted && 'invalid' in wanted) throw new UsageError(`--address: ${wanted.invalid}`);
  await runs.get(run);
  const found = [];
  for (const [chunk, { in_doubt }] of await runs.chunkTallies(run)) {
    if (in_doubt === 0) continue;
    const ref = { run, chunk };
    const recipients = await ledger.recipients(ref);
    for (const { position, claimedAt } of await ledger.doubts(ref)) {
      const recipient = recipients[position]?.address ?? '';
      if (wanted && recipient.toLowerCase() !== wanted.key) continue;
      found.push({ address: recipient, chunk, position, claimedAt: new Date(claimedAt) });
    }
  }
  return found;
}
