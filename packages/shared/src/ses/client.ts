/**
 * Amazon SES. All calls but one are the AWS SDK's, and so is all that one needs to make a call: credentials, endpoints,
 * regions. The one that matters, SendEmail, has two implementations (lightSender.ts, sdkSender.ts) under one contract:
 *
 * - One claim is at most one HTTP request: `maxAttempts` is 1 whatever the environment says, because the SDK's silent
 *   second POST after a reset or a time-out is a second mail.
 * - The signature is the fence: it carries the claim's time, not the time of signing, so SES itself refuses the request of
 *   a worker that was frozen for longer than a signature is good for.
 *   https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html (Signature expired)
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetAccountCommand,
  type GetAccountCommandOutput,
  GetConfigurationSetEventDestinationsCommand,
  GetEmailIdentityCommand,
  ListSuppressedDestinationsCommand,
  type ListSuppressedDestinationsCommandOutput,
  SESv2Client,
  type SendEmailCommandInput,
} from '@aws-sdk/client-sesv2';
import type { HttpResponse } from '@smithy/types';
import type { SesAnswer } from './answers.js';
import { openConnections, SdkRequestHandler } from './connections.js';
import { LightSender } from './lightSender.js';
import type { MailSender } from './mailSender.js';
import { ClaimTimeSigner, SdkSender } from './sdkSender.js';

const SUPPRESSED_PAGE_SIZE = 1_000;
const SUPPRESSED_PAGE_EVERY_MS = 1_000;

export interface SesConfig {
  region: string;
  /** Default: Amazon's for the region. */
  endpoint?: string;
  /** How long a call may take, ms. After that nobody knows whether the mail went out. */
  timeoutMs: number;
  /** Who makes the one call that matters; default: `light`. */
  sender?: 'light' | 'sdk';
}

export class SesClient implements MailSender {
  readonly #client: SESv2Client;
  readonly #sender: MailSender;

  constructor({ region, endpoint, timeoutMs, sender = 'light' }: SesConfig) {
    const connections = openConnections(timeoutMs);
    this.#client = new SESv2Client({
      region,
      ...(endpoint && { endpoint }),
      maxAttempts: 1,
      signerConstructor: ClaimTimeSigner as never,
      requestHandler: new SdkRequestHandler(connections),
    });
    this.#sender =
      sender === 'sdk' ? new SdkSender(this.#client) : new LightSender(this.#client, connections);
  }

  send(mail: SendEmailCommandInput, claimedAt: number): Promise<SesAnswer> {
    return this.#sender.send(mail, claimedAt);
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
