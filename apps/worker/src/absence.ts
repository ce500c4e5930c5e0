/**
 * Proof of absence: the fence has passed, no event with the recipient's tag has come, and the stream of events is alive,
 * because events of mails that were sent later have come. At the end of a run nothing is sent later; then one mail to
 * SES's mailbox simulator asks the stream whether it lives.
 * https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html (mailbox simulator)
 */
import type { CampaignSnapshot } from '@sendonce/shared/campaign';
import type { SesEvents } from '@sendonce/shared/events';
import type { Doubt } from '@sendonce/shared/ledger';
import type { Clock, Logger, RedisConnection } from '@sendonce/shared/runtime';
import { type MailSender, makeSendEmailInput } from '@sendonce/shared/ses';

/** Amazon's address that accepts everything; neither quota nor reputation count it as a recipient of ours. */
const SIMULATOR = 'success@simulator.amazonses.com';
/** Between two probes, all workers together: this share of the fence. A probe that got lost is repeated. */
const PROBE_SHARE_OF_FENCE = 1 / 4;
/** Events come in no promised order, so the later mail is asked to be later by this share of the fence (1 min of 20). */
const MARGIN_SHARE_OF_FENCE = 1 / 20;

export interface AbsenceServices {
  clock: Clock;
  events: SesEvents;
  logger: Logger;
  redis: RedisConnection;
  sender: MailSender;
}

export interface AbsenceConfig {
  prefix: string;
  fenceMs: number;
  /** Without event publishing there is no proof, ever. */
  configurationSet?: string;
}

export class AbsenceProof {
  readonly #services: AbsenceServices;
  readonly #config: AbsenceConfig;

  constructor(services: AbsenceServices, config: AbsenceConfig) {
    this.#services = services;
    this.#config = config;
  }

  /**
   * Those whose mail has provably not gone out: claimed while the stream was alive, and the stream lived on past the fence.
   * Claims from before the first event ever stay in doubt, since their events may have had nowhere to go. Asks for a sign
   * of life when it would help.
   */
  async absentAmong(doubts: readonly Doubt[], snapshot: CampaignSnapshot): Promise<Doubt[]> {
    if (!this.#config.configurationSet) return [];
    const marginMs = this.#config.fenceMs * (1 + MARGIN_SHARE_OF_FENCE);
    const alive = await this.#services.events.aliveBetween();
    const provenUpTo = (alive?.latestMailAt ?? 0) - marginMs;
    const { clock } = this.#services;
    const isProbeOfUse = doubts.some(
      ({ claimedAt }) => claimedAt > provenUpTo && claimedAt + marginMs < clock.now(),
    );
    if (isProbeOfUse) await this.#probe(snapshot);
    return doubts.filter(
      ({ claimedAt }) => alive && claimedAt >= alive.firstMailAt && claimedAt <= provenUpTo,
    );
  }

  async #probe({ id, definition }: CampaignSnapshot): Promise<void> {
    const { clock, logger, redis, sender } = this.#services;
    const { configurationSet, fenceMs, prefix } = this.#config;
    const everyMs = Math.ceil(fenceMs * PROBE_SHARE_OF_FENCE);
    if (!(await redis.set(`${prefix}:1:events:probe`, clock.now(), 'PX', everyMs, 'NX'))) return;
    const mail = makeSendEmailInput({
      from: definition.from,
      to: SIMULATOR,
      listId: definition.list_id,
      subject: 'Sendonce asks whether events arrive',
      text: 'This mail goes to the mailbox simulator of Amazon SES. Its events prove that the event stream is alive.',
      ...(configurationSet && { configurationSet }),
    });
    const answer = await sender.send(mail, clock.now());
    logger.info({ campaign: id, outcome: answer.outcome }, 'asked the event stream for a sign of life');
  }
}
