/**
 * The pinned campaigns of the runs that this worker is at, with their templates compiled once a run. A handful is kept: a
 * snapshot never changes, so the only question is memory.
 */
import type { CampaignSnapshot } from '@sendonce/shared/campaign';
import { compileMessage, type MessageTemplate } from '@sendonce/shared/message';
import { parseRunId, type Runs, recipientCount } from '@sendonce/shared/run';
import type { RateKind } from '@sendonce/shared/ses';

const KEPT_RUNS = 16;

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
  /** Links of its mails of which this worker has told. */
  notedLinks: Set<string>;
}

export class PinnedRuns {
  readonly #runs: Runs;
  readonly #kept = new Map<string, Promise<PinnedRun>>();

  constructor(runs: Runs) {
    this.#runs = runs;
  }

  /** @throws {UnknownRunError} */
  async get(run: string): Promise<PinnedRun> {
    const known = this.#kept.get(run);
    if (known) return known;
    const loading = this.#load(run);
    this.#kept.set(run, loading);
    loading.catch(() => this.#kept.delete(run));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_RUNS && oldest !== undefined) this.#kept.delete(oldest);
    return loading;
  }

  async #load(run: string): Promise<PinnedRun> {
    const [snapshot, record] = await Promise.all([this.#runs.snapshot(run), this.#runs.get(run)]);
    const scheduledAt = parseRunId(run)?.scheduledAt ?? record.scheduledAt;
    const template = compileMessage(snapshot, { scheduledAt });
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
      notedLinks: new Set(),
    };
  }
}
