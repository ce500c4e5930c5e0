import { readAttachments } from '@sendonce/shared/attachments';
import { parseRecipientAddress } from '@sendonce/shared/audience';
import { loadCampaign, snapshotOf } from '@sendonce/shared/campaign';
import { LinkPages } from '@sendonce/shared/links';
import { renderPreview } from '@sendonce/shared/message';
import { systemClock as clock, readSettings, UsageError } from '@sendonce/shared/runtime';
import { makeSendEmailInput, makeSesAttachments, SesClient } from '@sendonce/shared/ses';
import { openUnsubscribeLinks } from '@sendonce/shared/suppression';
import type { Command } from 'commander';
import { withContext } from '../context.js';
import { print } from '../output.js';

export function addTestSendCommand(program: Command): void {
  program
    .command('test-send')
    .argument('<campaign>')
    .requiredOption('--to <address>', 'who gets the test')
    .description("send one mail, with the first recipient's data, to an address of yours; it is in no run")
    .action(async (id: string, { to }: { to: string }) => {
      const settings = readSettings();
      const address = parseRecipientAddress(to);
      if ('invalid' in address) throw new UsageError(`--to: ${address.invalid}`);
      const { message, snapshot, unsubscribeUrl } = await withContext(async ({ redis }) => {
        const services = { redis, prefix: settings.redis.prefix };
        const links = await openUnsubscribeLinks(services, settings.public);
        const unsubscribeUrl = links.urlFor({ address: address.key, campaign: id });
        const snapshot = snapshotOf(await loadCampaign(settings.campaignsDir, id));
        const { message } = await renderPreview(snapshot, 1, unsubscribeUrl);
        // The links of the test mail shall lead on, too.
        await new LinkPages({ ...services, clock }).publish(snapshot);
        return { message, snapshot, unsubscribeUrl };
      });
      const { from, reply_to, list_id } = snapshot.definition;
      const { attachments = [], baseDir } = snapshot;
      const ses = new SesClient(settings.ses);
      const { configurationSet } = settings.ses;
      const mail = makeSendEmailInput({
        from,
        to: address.address,
        listId: list_id,
        ...message,
        attachments: makeSesAttachments(attachments, await readAttachments(baseDir, attachments)),
        ...(snapshot.definition.unsubscribe && { unsubscribeUrl }),
        subject: `[test] ${message.subject}`,
        ...(reply_to && { replyTo: reply_to }),
        ...(configurationSet && { configurationSet }),
      });
      const answer = await ses.send(mail, Date.now());
      ses.close();
      if (answer.outcome !== 'accepted') throw new Error(`SES did not take it: ${answer.reason}`);
      print(`Sent. SES's message id: ${answer.messageId}`);
    });
}
