import { formatSize } from '@sendonce/shared/attachments';
import { maskAddress } from '@sendonce/shared/audience';
import { loadCampaign, snapshotOf } from '@sendonce/shared/campaign';
import { renderPreview } from '@sendonce/shared/message';
import { readCampaignsDir } from '@sendonce/shared/runtime';
import { type Command, InvalidArgumentError } from 'commander';
import { print } from '../output.js';

export function addPreviewCommand(program: Command): void {
  program
    .command('preview')
    .argument('<campaign>')
    .option('--row <n>', 'which valid recipient of the audience', positiveInteger, 1)
    .description('show the mail as a recipient of the audience would get it')
    .action(async (id: string, { row }: { row: number }) => {
      const snapshot = snapshotOf(await loadCampaign(readCampaignsDir(), id));
      const { message, recipient } = await renderPreview(snapshot, row);
      print(`From: ${snapshot.definition.from}`);
      print(`To: ${maskAddress(recipient.address)}`);
      print(`Subject: ${message.subject}`);
      print();
      print(message.text.replaceAll('\r\n', '\n'));
      if (message.html)
        print(`\n--- text/html, ${formatSize(Buffer.byteLength(message.html))} ---\n${message.html}`);
      for (const { name, contentId, contentType, size } of snapshot.attachments ?? [])
        print(
          `--- ${contentType}, ${formatSize(size)} --- ${name}${contentId ? `, shown as cid:${contentId}` : ''}`,
        );
    });
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number from 1.');
  return value;
}
