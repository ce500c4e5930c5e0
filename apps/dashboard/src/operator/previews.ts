/**
 * Mails as recipients would get them, for the pages. A page is drawn again every second while somebody looks at it; a database
 * or a URL is not asked so often.
 */
import { AudienceSourceError, isFileAudience } from '@sendonce/shared/audience';
import type { CampaignSnapshot } from '@sendonce/shared/campaign';
import { renderPreview, TemplateError } from '@sendonce/shared/message';
import { type Clock, messageOf, UsageError } from '@sendonce/shared/runtime';

/** How long a preview stays whose recipients come from elsewhere, ms. */
const MAX_AGE_MS = 60_000;
/** They are kept in memory, with a recipient each. */
const MAX_KEPT = 50;

/** A mail, or why there is none. */
export type Preview = Awaited<ReturnType<typeof renderPreview>> | { reason: string };

export class Previews {
  /** By campaign, its version, and row; the oldest first. */
  readonly #kept = new Map<string, { at: number; preview: Promise<Preview> }>();

  constructor(private readonly clock: Clock) {}

  /** @param row which valid recipient, from 1. */
  get(campaign: CampaignSnapshot, row: number): Promise<Preview> {
    if (isFileAudience(campaign.definition.audience)) return render(campaign, row);
    const key = `${campaign.id} ${campaign.hash} ${row}`;
    const now = this.clock.now();
    const known = this.#kept.get(key);
    if (known && now - known.at < MAX_AGE_MS) return known.preview;
    const preview = render(campaign, row);
    this.#kept.delete(key);
    this.#kept.set(key, { at: now, preview });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return preview;
  }
}

async function render(campaign: CampaignSnapshot, row: number): Promise<Preview> {
  try {
    return await renderPreview(campaign, row);
  } catch (error) {
    const isTold =
      error instanceof UsageError || error instanceof TemplateError || error instanceof AudienceSourceError;
    if (!isTold) throw error;
    return { reason: messageOf(error) };
  }
}
