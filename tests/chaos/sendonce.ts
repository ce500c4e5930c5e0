/** Ours, on its real processes: a scheduler that starts the run, workers, and the dashboard that takes SES's events. */
import type { ChildProcess } from 'node:child_process';
import { CHUNK_SIZE } from '@sendonce/shared/ledger';
import { sendJobId } from '@sendonce/shared/queue';
import { makeCampaignDir, makeCsv, waitFor } from '@sendonce/shared/testing';
import type { System } from '../e2e/system.js';
import type { Contender, Inbox, Ledger, Stage } from './contender.js';

/** From now until the run is due: time for the processes to come up. */
const DUE_IN_MS = 3_000;
const CAMPAIGN = 'news';

/** A campaign that is due in a moment. */
export function makeDueCampaign(recipients: number, hasEvents: boolean): { campaignsDir: string; at: Date } {
  const at = new Date(Math.ceil((Date.now() + DUE_IN_MS) / 1_000) * 1_000);
  const settings = `in_doubt: ${hasEvents ? 'resend' : 'hold'}\nschedule: { at: "${at.toISOString()}" }\n`;
  return { campaignsDir: makeCampaignDir({ id: CAMPAIGN, csv: makeCsv(recipients), settings }), at };
}

export class Sendonce implements Contender {
  readonly name = 'sendonce';
  readonly run: string;
  readonly #system: System;
  readonly #stage: Stage;
  readonly #at: Date;
  readonly #hasEvents: boolean;

  constructor(stage: Stage, { at, hasEvents }: { at: Date; hasEvents: boolean }) {
    this.#system = stage.system;
    this.#stage = stage;
    this.#at = at;
    this.#hasEvents = hasEvents;
    this.run = `${CAMPAIGN}--${at.toISOString().replace(/[-:]|\.\d+/g, '')}`;
  }

  spawnWorker(): ChildProcess {
    return this.#system.spawn('worker', { REDIS_URL: this.#stage.wiredRedisUrl });
  }

  async prepare(): Promise<void> {
    if (this.#hasEvents) await this.#system.startDashboard();
  }

  async start(): Promise<void> {
    this.#system.spawn('scheduler');
    await this.#system.whenSent(this.run, 1);
  }

  async redeliver(chunk: number): Promise<void> {
    const { sends } = this.#system.queues;
    const jobId = sendJobId({ run: this.run, chunk });
    const job = await sends.getJob(jobId);
    // A job that a worker holds can't be removed; then another one under another name does as well.
    const isGone = await job?.remove().then(
      () => true,
      () => false,
    );
    const data = { run: this.run, chunk, chunks: this.#chunks };
    await sends.add('send', data, { jobId: isGone ? jobId : `${jobId}/again` });
  }

  async retryFinished(chunk: number): Promise<void> {
    const job = await this.#system.queues.sends.getJob(sendJobId({ run: this.run, chunk }));
    // It may not be finished yet, or somebody else retries it at this moment.
    await job?.retry('completed').catch(() => undefined);
  }

  async startAgain(): Promise<void> {
    await Promise.all([1, 2].map(() => this.#system.startRun(CAMPAIGN, this.#at)));
  }

  async secondScheduler(): Promise<void> {
    this.#system.spawn('scheduler');
  }

  async whenEnded(timeoutMs: number): Promise<void> {
    if (this.#hasEvents) {
      await this.#system.whenFinished(this.run, timeoutMs);
      return;
    }
    await waitFor(
      `the end of ${this.run}, but for doubts`,
      async () => {
        const { frozenAt, numbers } = await this.#system.runs.get(this.run);
        return frozenAt !== undefined && numbers.queued + numbers.claimed === 0;
      },
      timeoutMs,
    );
  }

  async compare(inbox: Inbox): Promise<Ledger> {
    const result: Ledger = { inDoubt: 0, inDoubtWithoutMail: 0, mismatches: 0 };
    for (let chunk = 0; chunk < this.#chunks; chunk++) {
      const states = (await this.#system.ledger.states({ run: this.run, chunk })) ?? [];
      states.forEach((state, position) => {
        const hasMail = (inbox[`${chunk}/${position}`] ?? 0) > 0;
        if (state === 'in_doubt') {
          result.inDoubt += 1;
          if (!hasMail) result.inDoubtWithoutMail += 1;
        } else if (hasMail !== (state === 'sent')) result.mismatches += 1;
      });
    }
    return result;
  }

  async stop(): Promise<void> {}

  get #chunks(): number {
    return Math.ceil(this.#stage.recipients / CHUNK_SIZE);
  }
}
