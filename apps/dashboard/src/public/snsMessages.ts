/**
 * SNS messages, believed only after checks: the signature (version 1 or 2), the certificate's host, the topic, the age. SNS
 * itself repeats a message for an hour at the most. https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Clock, type Logger, messageOf } from '@sendonce/shared/runtime';
import SnsPayloadValidator from 'sns-payload-validator';
import { z } from 'zod';

/** Older messages are replays, ms: SNS gives up after an hour, and clocks differ. */
const MAX_AGE_MS = 2 * 3_600_000;
const CONFIRM_TIMEOUT_MS = 10_000;
const AMAZON_SNS_HOST = /^sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?$/;

const SnsMessage = z.object({
  Type: z.enum(['Notification', 'SubscriptionConfirmation', 'UnsubscribeConfirmation']),
  MessageId: z.string().max(256),
  TopicArn: z.string().max(512),
  Timestamp: z.iso.datetime(),
  Message: z.string(),
  Subject: z.string().exactOptional(),
  Token: z.string().max(1_024).exactOptional(),
  SubscribeURL: z.string().max(2_048).exactOptional(),
  SignatureVersion: z.enum(['1', '2']),
  SigningCertURL: z.string().max(2_048),
  Signature: z.string().max(4_096),
});

export type SnsMessage = z.infer<typeof SnsMessage>;

/** The message is not to be believed; nothing of it was used. */
export class UntrustedMessageError extends Error {
  override readonly name = 'UntrustedMessageError';
}

export interface SnsConfig {
  topicArns: string[];
  /** Where the local simulator tells its certificate; undefined: only Amazon's are believed. */
  localCertificateUrl?: string;
}

export class SnsMessages {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #config: SnsConfig;
  readonly #validator = new SnsPayloadValidator({ useCache: true, maxCerts: 20 });

  constructor({ clock, logger }: { clock: Clock; logger: Logger }, config: SnsConfig) {
    this.#clock = clock;
    this.#logger = logger;
    this.#config = config;
  }

  /** @throws {UntrustedMessageError} */
  async verify(body: string): Promise<SnsMessage> {
    const payload = parse(body);
    if (!this.#config.topicArns.includes(payload.TopicArn)) {
      throw new UntrustedMessageError('the topic is not in SNS_TOPIC_ARNS');
    }
    const ageMs = this.#clock.now() - Date.parse(payload.Timestamp);
    if (Math.abs(ageMs) > MAX_AGE_MS)
      throw new UntrustedMessageError('the message is too old, or of the future');
    await this.#learnLocalCertificate(payload.SigningCertURL);
    await this.#validate(payload);
    return payload;
  }

  /**
   * A signature that is wrong is refused for good (4xx: SNS does not repeat). A certificate that could not be fetched is no
   * reason to lose an event; the validator keeps whatever came for it, an error page as well, so that is dropped again.
   */
  async #validate(payload: SnsMessage): Promise<void> {
    const certificateUrl = payload.SigningCertURL;
    try {
      await this.#validator.validate(payload);
      this.#keepKey(certificateUrl);
    } catch (error) {
      const message = messageOf(error);
      const known = this.#certificates.get(certificateUrl);
      const isCertificate = typeof known !== 'string' || known.includes('BEGIN CERTIFICATE');
      if (!isCertificate) this.#certificates.delete(certificateUrl);
      if (!isCertificate || !message.startsWith('Invalid')) {
        throw new Error(`The certificate of SNS could not be fetched: ${message}`, { cause: error });
      }
      throw new UntrustedMessageError(message, { cause: error });
    }
  }

  /** Of a certificate that has shown to be good, its key: reading the certificate takes longer than checking a signature. */
  #keepKey(certificateUrl: string): void {
    const known = this.#certificates.get(certificateUrl);
    if (typeof known === 'string') this.#certificates.set(certificateUrl, createPublicKey(known));
  }

  get #certificates(): Map<string, string | KeyObject> {
    return (this.#validator as unknown as { certCache: Map<string, string | KeyObject> }).certCache;
  }

  /** Follows the link of a verified confirmation. @throws {UntrustedMessageError} when the link is not SNS's. */
  async confirm({ SubscribeURL = '', TopicArn }: SnsMessage): Promise<void> {
    const url = URL.canParse(SubscribeURL) ? new URL(SubscribeURL) : undefined;
    const isAmazon = url?.protocol === 'https:' && AMAZON_SNS_HOST.test(url.hostname);
    const { localCertificateUrl } = this.#config;
    const isLocal = localCertificateUrl !== undefined && url?.host === new URL(localCertificateUrl).host;
    if (!url || !(isAmazon || isLocal))
      throw new UntrustedMessageError("the SubscribeURL is not of Amazon's SNS");
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(CONFIRM_TIMEOUT_MS) });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`SNS answered ${response.status} to the confirmation.`);
    this.#logger.info({ topic: TopicArn }, 'subscription to SES events confirmed');
  }

  /** The simulator's certificate goes where Amazon's would be, so that the check is the same. Asked for when it is new. */
  async #learnLocalCertificate(certificateUrl: string): Promise<void> {
    const { localCertificateUrl } = this.#config;
    if (!localCertificateUrl || this.#certificates.has(certificateUrl)) return;
    const response = await fetch(localCertificateUrl, { signal: AbortSignal.timeout(CONFIRM_TIMEOUT_MS) });
    const { url, pem } = z.object({ url: z.string(), pem: z.string() }).parse(await response.json());
    if (url === certificateUrl) this.#certificates.set(url, pem);
  }
}

function parse(body: string): SnsMessage {
  try {
    return SnsMessage.parse(JSON.parse(body));
  } catch (error) {
    throw new UntrustedMessageError('the body is no SNS message', { cause: error });
  }
}
