/** The links by which recipients unsubscribe: `PUBLIC_URL/u/TOKEN`, in the header (RFC 8058) and in the body of a mail. */
import { addressKey } from '../audience/index.js';
import { readLinkSecrets } from '../links/index.js';
import { runIdOf } from '../run/index.js';
import type { RedisConnection, Settings } from '../runtime/index.js';
import { type UnsubscribeClaim, UnsubscribeTokens } from './unsubscribeToken.js';

/** Where the public app serves them. */
export const UNSUBSCRIBE_PATH = '/u/';

export class UnsubscribeLinks {
  readonly #tokens: UnsubscribeTokens;
  readonly #base: string;

  /**
   * @param secrets see `readLinkSecrets`.
   * @param publicUrl `PUBLIC_URL`, with or without a path.
   */
  constructor(secrets: readonly string[], publicUrl: string) {
    this.#tokens = new UnsubscribeTokens(secrets);
    this.#base = publicUrl.replace(/\/+$/, '') + UNSUBSCRIBE_PATH;
  }

  /** The same for the same recipient, campaign and run, whenever it is asked for. */
  urlFor({ address, ...rest }: UnsubscribeClaim): string {
    return this.#base + this.#tokens.make({ address: addressKey(address), ...rest });
  }

  /** Undefined: the token is not one of ours, or was changed. */
  read(token: string): UnsubscribeClaim | undefined {
    return this.#tokens.read(token);
  }
}

/** The links as every process of an installation makes and reads them. */
export async function openUnsubscribeLinks(
  services: { redis: RedisConnection; prefix: string },
  settings: Pick<Settings['public'], 'linkSecret' | 'previousLinkSecret' | 'url'>,
): Promise<UnsubscribeLinks> {
  return new UnsubscribeLinks(await readLinkSecrets(services, settings), settings.url);
}

/** The run whose mail a link was in; undefined for a test mail's. */
export function runOfClaim({ campaign, scheduledAt }: UnsubscribeClaim): string | undefined {
  return scheduledAt && runIdOf(campaign, scheduledAt);
}

/**
 * Why mails can't carry a link that works; undefined: they can. RFC 8058 asks for https, and receivers follow nothing
 * else. The local simulator's mails go nowhere, so there http is fine.
 */
export function findLinkObstacle({
  ses,
  public: { url },
}: Pick<Settings, 'ses' | 'public'>): string | undefined {
  if (ses.isLocal || url.startsWith('https:')) return undefined;
  return `recipients can't unsubscribe: PUBLIC_URL is ${url}, and mails need an https:// address that recipients reach (RFC 8058). Set it, or say "unsubscribe: no" in a campaign that nobody may leave.`;
}
