/**
 * The pinned campaigns of the runs that this worker is at, with their templates compiled and their attachments read once a
 * run. A handful is kept: a snapshot never changes, so the only question is memory.
 */
import { type CampaignSnapshot, shownTime } from '@sendonce/shared/campaign';
import { compileMessage, type MessageTemplate } from '@sendonce/shared/message';
import { parseRunId, type Runs, recipientCount } from '@sendonce/shared/run';
import { type MailContent, makeSesAttachments, type RateKind } from '@sendonce/shared/ses';

const KEPT_RUNS = 16;
/** Attachments of kept runs; what a request is made of takes four thirds of it again. A run that is asked for is kept anyway. */
const KEPT_ATTACHMENT_BYTES = 32_000_000;

export interface PinnedRun {
  snapshot: CampaignSnapshot;
  template: MessageTemplate;
  scheduledAt: Date;
  /** Before its audience was frozen. */
  createdAt: Date;
  /** How many there are to send to, after freezing; of single messages nobody knows. */
  recipients: number;
  /** Whose places in the account's rate its recipients take. */
  kind: RateKind;
  /** The same list for all its mails. */
  attachments: MailContent['attachments'];
  /** Links of its mails of which this worker has told. */
  notedLinks: Set<string>;
}

export class PinnedRuns {
  readonly #runs: Runs;
  readonly #kept = new Map<string, Promise<PinnedRun>>();
  /** Of the attachments of those that have some, oldest first. */
  readonly #bytes = new Map<string, number>();

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  /** @throws {UnknownRunError} */
  async get(run: string): Promise<PinnedRun> {
    const known = this.#kept.get(run);
    if (known) return known;
    const loading = this.#load(run);
    this.#kept.set(run, loading);
    loading.then(
      ({ snapshot }) => this.#count(run, snapshot),
      () => this.#forget(run),
    );
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_RUNS && oldest !== undefined) this.#forget(oldest);
    return loading;
  }

  /** Large attachments push out those of runs that were asked for first. */
  #count(run: string, { attachments = [] }: CampaignSnapshot): void {
    if (attachments.length === 0 || !this.#kept.has(run)) return;
    this.#bytes.set(
      run,
      attachments.reduce((sum, { size }) => sum + size, 0),
    );
    let sum = [...this.#bytes.values()].reduce((total, bytes) => total + bytes, 0);
    for (const [other, bytes] of this.#bytes) {
      if (sum <= KEPT_ATTACHMENT_BYTES || other === run) break;
      this.#forget(other);
      sum -= bytes;
    }
  }

  #forget(run: string): void {
    this.#kept.delete(run);
    this.#bytes.delete(run);
  }

  async #load(run: string): Promise<PinnedRun> {
    const [snapshot, record] = await Promise.all([this.#runs.snapshot(run), this.#runs.get(run)]);
    const scheduledAt = parseRunId(run)?.scheduledAt ?? record.scheduledAt;
    const isOfSchedule = record.origin === 'schedule';
    const shownAt = isOfSchedule ? shownTime(snapshot.definition.schedule, scheduledAt) : scheduledAt;
    const template = compileMessage(snapshot, { scheduledAt: shownAt });
    const { attachments = [] } = snapshot;
    const contents = attachments.length > 0 ? await this.#runs.attachments(run) : new Map();
    return {
      snapshot,
      template,
      scheduledAt,
      createdAt: record.createdAt,
      recipients:
        record.origin === 'messages'
          ? Number.POSITIVE_INFINITY
          : recipientCount(record) - record.numbers.suppressed,
      kind: record.origin === 'messages' ? 'message' : 'campaign',
      attachments: makeSesAttachments(attachments, contents),
      notedLinks: new Set(),
    };
  }
}
