import { maskAddress, openAudience } from '@sendonce/shared/audience';
import { loadCampaign, nextOccurrence, snapshotOf } from '@sendonce/shared/campaign';
import type { Recipient } from '@sendonce/shared/ledger';
import { compileMessage } from '@sendonce/shared/message';
import { readSettings, UsageError } from '@sendonce/shared/runtime';
import { type Command, InvalidArgumentError } from 'commander';
import { print } from '../output.js';

export function addPreviewCommand(program: Command): void {
  program
    .command('preview')
    .argument('<campaign>')
    .option('--row <n>', 'which valid recipient of the audience', positiveInteger, 1)
    .description('show the mail as a recipient of the audience would get it')
    .action(async (id: string, { row }: { row: number }) => {
      const { message, recipient, from } = await renderPreview(readSettings().campaignsDir, id, row);
      print(`From: ${from}`);
      print(`To: ${maskAddress(recipient.address)}`);
      print(`Subject: ${message.subject}`);
      print();
      print(message.text.replaceAll('\r\n', '\n'));
      if (message.html) print(`\n--- text/html ---\n${message.html}`);
    });
}

/** Stands for a link of each recipient's own. */
const EXAMPLE_LINK = 'https://example.com/u/EXAMPLE';

/**
 * The mail of the n-th valid recipient.
 * @param unsubscribeUrl default: an example.
 */
export async function renderPreview(
  campaignsDir: string,
  id: string,
  row: number,
  unsubscribeUrl = EXAMPLE_LINK,
) {
  const snapshot = snapshotOf(await loadCampaign(campaignsDir, id));
  const recipient = await nthRecipient(snapshot, row);
  if (!recipient) throw new UsageError(`The audience of ${id} has fewer than ${row} valid recipients.`);
  const { schedule } = snapshot.definition;
  const scheduledAt = (schedule && nextOccurrence(schedule, new Date())) ?? new Date();
  const link = snapshot.definition.unsubscribe ? { unsubscribeUrl } : {};
  const message = compileMessage(snapshot, { scheduledAt }).render({ ...recipient, ...link });
  return { message, recipient, from: snapshot.definition.from, snapshot };
}

async function nthRecipient(
  snapshot: ReturnType<typeof snapshotOf>,
  n: number,
): Promise<Recipient | undefined> {
  let count = 0;
  for await (const row of openAudience(snapshot.definition.audience, snapshot.baseDir).rows()) {
    if (!('invalid' in row) && ++count === n) return row.recipient;
  }
  return undefined;
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}
