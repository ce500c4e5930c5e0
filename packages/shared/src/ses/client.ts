/**
 * The one call that matters, SendEmail, through the AWS SDK, made safe to use for claims:
 *
 * - One claim is at most one HTTP request: `maxAttempts` is 1 whatever the environment says, because the SDK's silent
 *   second POST after a reset or a time-out is a second mail.
 * - The signature is the fence: it carries the claim's time, not the time of signing, so SES itself refuses the request of
 *   a worker that was frozen for longer than a signature is good for.
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html (Signature expired)
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetAccountCommand,
  type GetAccountCommandOutput,
  GetConfigurationSetEventDestinationsCommand,
  GetEmailIdentityCommand,
  ListSuppressedDestinationsCommand,
  type ListSuppressedDestinationsCommandOutput,
  SESv2Client,
  SendEmailCommand,
  type SendEmailCommandInput,
} from '@aws-sdk/client-sesv2';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest, HttpResponse, RequestSigningArguments } from '@smithy/types';
import { answerOf, type SesAnswer } from './answers.js';

/** Carries the claim's time from the call to the signer; never goes over the wire. */
const CLAIMED_AT_HEADER = 'x-sendonce-claimed-at';

const SUPPRESSED_PAGE_SIZE = 1_000;
const SUPPRESSED_PAGE_EVERY_MS = 1_000;

/** Connections to SES a process keeps open at the most. */
const MAX_SOCKETS = 256;

export interface SesConfig {
  region: string;
  /** Default: Amazon's for the region. */
  endpoint?: string;
  /** How long a call may take, ms. After that nobody knows whether the mail went out. */
  timeoutMs: number;
}

/** Sends one mail for one claim. Every implementation of it passes the same contract suite. */
export interface MailSender {
  /** @param claimedAt ms since the epoch; the request is signed with this time. Never throws: an error is an answer. */
  send(mail: SendEmailCommandInput, claimedAt: number): Promise<SesAnswer>;
}

export class SesClient implements MailSender {
  readonly #client: SESv2Client;

  constructor({ region, endpoint, timeoutMs }: SesConfig) {
    const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
    this.#client = new SESv2Client({
      region,
      ...(endpoint && { endpoint }),
      maxAttempts: 1,
      signerConstructor: ClaimTimeSigner as never,
      requestHandler: new NodeHttpHandler({
        connectionTimeout: Math.min(5_000, timeoutMs),
        requestTimeout: timeoutMs,
        throwOnRequestTimeout: true,
        httpAgent: new HttpAgent(agent),
        httpsAgent: new HttpsAgent(agent),
      }),
    });
  }

  async send(mail: SendEmailCommandInput, claimedAt: number): Promise<SesAnswer> {
    const command = new SendEmailCommand(mail);
    command.middlewareStack.add(
      (next) => (args) => {
        (args.request as HttpRequest).headers[CLAIMED_AT_HEADER] = String(claimedAt);
        return next(args);
      },
      { step: 'build', name: 'claimTime' },
    );
    try {
      const { MessageId } = await this.#client.send(command);
      if (!MessageId) return { outcome: 'unknown', reason: 'SES answered without a MessageId' };
      return { outcome: 'accepted', messageId: MessageId };
    } catch (error) {
      return answerOf(error);
    }
  }

  /** The account's quota and state. May be called about once a second, all processes together. */
  async account(): Promise<GetAccountCommandOutput> {
    return this.#client.send(new GetAccountCommand({}));
  }

  /** A sender's domain. @throws NotFoundException, AccessDeniedException */
  async identity(name: string): Promise<{ isVerified: boolean; dkim: string }> {
    const output = await this.#client.send(new GetEmailIdentityCommand({ EmailIdentity: name }));
    return {
      isVerified: output.VerifiedForSendingStatus ?? false,
      dkim: output.DkimAttributes?.Status ?? 'NOT_STARTED',
    };
  }

  /** Types of events that a configuration set publishes anywhere. @throws NotFoundException, AccessDeniedException */
  async publishedEvents(configurationSet: string): Promise<string[]> {
    const { EventDestinations = [] } = await this.#client.send(
      new GetConfigurationSetEventDestinationsCommand({ ConfigurationSetName: configurationSet }),
    );
    return EventDestinations.filter(({ Enabled }) => Enabled).flatMap(
      ({ MatchingEventTypes = [] }) => MatchingEventTypes,
    );
  }

  /** The account's own suppression list, page by page, at most one a second as SES allows. */
  async *suppressed(): AsyncGenerator<{ address: string; since: Date }> {
    for (let next: string | undefined, isFirst = true; isFirst || next; isFirst = false) {
      if (!isFirst) await sleep(SUPPRESSED_PAGE_EVERY_MS);
      const page: ListSuppressedDestinationsCommandOutput = await this.#client.send(
        new ListSuppressedDestinationsCommand({
          PageSize: SUPPRESSED_PAGE_SIZE,
          ...(next && { NextToken: next }),
        }),
      );
      for (const { EmailAddress, LastUpdateTime } of page.SuppressedDestinationSummaries ?? [])
        if (EmailAddress) yield { address: EmailAddress, since: LastUpdateTime ?? new Date(0) };
      next = page.NextToken;
    }
  }

  /**
   * SES's time, ms since the epoch, from the `Date` of its answer (to the second; half of one is added). A refusal has a
   * date, too. @throws when SES can't be reached.
   */
  async time(): Promise<number> {
    let date: string | undefined;
    const command = new GetAccountCommand({});
    command.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        ({ date } = (result.response as HttpResponse).headers);
        return result;
      },
      // Next to the wire: before an error answer is turned into an exception.
      { step: 'deserialize', priority: 'low', name: 'serverDate' },
    );
    const sent = this.#client.send(command);
    await sent.catch((error: unknown) => {
      if (date === undefined) throw error;
    });
    return Date.parse(date ?? '') + 500;
  }

  close(): void {
    this.#client.destroy();
  }
}

/** Signs with the claim's time where the request carries one; any other call with the present time. */
class ClaimTimeSigner extends SignatureV4 {
  override async sign(request: never, options?: RequestSigningArguments): Promise<never> {
    const { headers } = request as HttpRequest;
    const claimedAt = headers?.[CLAIMED_AT_HEADER];
    if (claimedAt === undefined) return (await super.sign(request, options)) as never;
    delete headers[CLAIMED_AT_HEADER];
    return (await super.sign(request, { ...options, signingDate: new Date(Number(claimedAt)) })) as never;
  }
}
