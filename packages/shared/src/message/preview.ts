/** A campaign's mail as one of its recipients would get it, before anything is sent. */
import { openAudience } from '../audience/index.js';
import { type CampaignSnapshot, isMessageTemplate } from '../campaign/index.js';
import { nextOccurrence } from '../campaign/schedule.js';
import type { Recipient } from '../ledger/index.js';
import { UsageError } from '../runtime/index.js';
import { compileMessage, type Message } from './template.js';

/** Stands for a link of each recipient's own. */
const EXAMPLE_LINK = 'https://example.com/u/EXAMPLE';

/**
 * The mail of the n-th valid recipient, from 1, at the next occurrence.
 * @param unsubscribeUrl default: an example.
 * @throws {UsageError} the audience has fewer; {AudienceSourceError}, {TemplateError}
 */
export async function renderPreview(
  snapshot: CampaignSnapshot,
  row: number,
  unsubscribeUrl = EXAMPLE_LINK,
): Promise<{ message: Message; recipient: Recipient }> {
  const recipient = await nthRecipient(snapshot, row);
  if (!recipient)
    throw new UsageError(
      isMessageTemplate(snapshot.definition)
        ? `${snapshot.id} is a template of single messages: its sample.json has the one recipient whom a preview can show.`
        : `The audience of ${snapshot.id} has fewer than ${row} valid recipients.`,
    );
  const { schedule, unsubscribe } = snapshot.definition;
  const scheduledAt = (schedule && nextOccurrence(schedule, new Date())) ?? new Date();
  const link = unsubscribe ? { unsubscribeUrl } : {};
  return { message: compileMessage(snapshot, { scheduledAt }).render({ ...recipient, ...link }), recipient };
}

async function nthRecipient(snapshot: CampaignSnapshot, n: number): Promise<Recipient | undefined> {
  let count = 0;
  for await (const row of openAudience(snapshot.definition.audience, snapshot.baseDir).rows()) {
    if (!('invalid' in row) && ++count === n) return row.recipient;
  }
  return undefined;
}
