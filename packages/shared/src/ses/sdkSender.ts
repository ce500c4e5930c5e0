/** SendEmail through the AWS SDK: for those who want its code on the path, and as the measure of the light one. */
import { type SESv2Client, SendEmailCommand, type SendEmailCommandInput } from '@aws-sdk/client-sesv2';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest, RequestSigningArguments } from '@smithy/types';
import { answerOf, type SesAnswer } from './answers.js';
import { ByteLimit } from './byteLimit.js';
import type { MailSender } from './mailSender.js';

/** Carries the claim's time from the call to the signer; never goes over the wire. */
const CLAIMED_AT_HEADER = 'x-sendonce-claimed-at';

/**
 * Of attachments in requests at a time: the SDK makes texts and buffers of them for each mail, four times their size, and a
 * worker's heap has 192 MB. Who waits for too long is refused by SES, as any late claim is.
 */
const ATTACHMENT_BYTES_UNDER_WAY = 16_000_000;

export class SdkSender implements MailSender {
  readonly #attachments = new ByteLimit(ATTACHMENT_BYTES_UNDER_WAY);

  /** @param client its signer is a `ClaimTimeSigner`. */
  constructor(private readonly client: SESv2Client) {}

  async send(mail: SendEmailCommandInput, claimedAt: number): Promise<SesAnswer> {
    const { Attachments } = mail.Content?.Simple ?? {};
    if (!Attachments) return this.#send(mail, claimedAt);
    const bytes = Attachments.reduce((sum, { RawContent }) => sum + (RawContent?.length ?? 0), 0);
    return this.#attachments.within(bytes, () => this.#send(mail, claimedAt));
  }

  async #send(mail: SendEmailCommandInput, claimedAt: number): Promise<SesAnswer> {
    const command = new SendEmailCommand(mail);
    command.middlewareStack.add(
      (next) => (args) => {
        (args.request as HttpRequest).headers[CLAIMED_AT_HEADER] = String(claimedAt);
        return next(args);
      },
      { step: 'build', name: 'claimTime' },
    );
    try {
      const { MessageId } = await this.client.send(command);
      if (!MessageId) return { outcome: 'unknown', reason: 'SES answered without a MessageId' };
      return { outcome: 'accepted', messageId: MessageId };
    } catch (error) {
      return answerOf(error);
    }
  }
}

/** Signs with the claim's time where the request carries one; any other call with the present time. */
export class ClaimTimeSigner extends SignatureV4 {
  override async sign(request: never, options?: RequestSigningArguments): Promise<never> {
    const { headers } = request as HttpRequest;
    const claimedAt = headers?.[CLAIMED_AT_HEADER];
    if (claimedAt === undefined) return (await super.sign(request, options)) as never;
    delete headers[CLAIMED_AT_HEADER];
    return (await super.sign(request, { ...options, signingDate: new Date(Number(claimedAt)) })) as never;
  }
}
