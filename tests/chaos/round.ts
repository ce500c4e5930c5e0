/**
 * One round: a run on real processes, with a plan of what goes wrong. Judged by the inbox of the local SES and not by the
 * ledger; then the two are compared, recipient by recipient.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHUNK_SIZE } from '@sendonce/shared/ledger';
import { sendJobId } from '@sendonce/shared/queue';
import { makeCampaignDir, makeCsv } from '@sendonce/shared/testing';
import { type EmbeddedRedis, startRedis } from '../../scripts/bootstrap/redis.mjs';
import { FENCE_MS, System } from '../e2e/system.js';
import { type Action, makePlan, type Plan, WORKERS } from './plan.js';
import { TcpProxy } from './tcpProxy.js';

/** Recipients a second, so that a round lasts long enough for its plan. */
const RATE = 400;
const END_TIMEOUT_MS = 90_000;
/** A frozen worker sleeps for longer than the fence, and so past the point where doubts are settled. */
const FREEZE_MS = FENCE_MS + 2_000;

export interface RoundResult {
  plan: Plan;
  recipients: number;
  /** Mails that somebody got again. */
  duplicates: number;
  /** Recipients who got nothing. */
  losses: number;
  /** Doubts that were still open in the end. */
  inDoubt: number;
  /** Recipients of whom the ledger says something else than the inbox. */
  mismatches: number;
  /** Mails that the workers had to leave in doubt on the way: settled by events, or sent again. */
  seconds: number;
}

export async function playRound(seed: number, recipients: number): Promise<RoundResult> {
  const plan = makePlan(seed, Math.ceil(recipients / CHUNK_SIZE));
  const round = await Round.start(recipients, plan);
  try {
    return await round.play();
  } finally {
    await round.stop();
  }
}

class Round {
  readonly #workers: ChildProcess[] = [];
  readonly #dataDir: string;
  #run = '';

  private constructor(
    private readonly redis: EmbeddedRedis,
    private readonly proxy: TcpProxy,
    private readonly system: System,
    private readonly plan: Plan,
    private readonly recipients: number,
    private readonly at: Date,
  ) {
    this.#dataDir = redis.dir;
  }

  static async start(recipients: number, plan: Plan): Promise<Round> {
    const redis = await startRedis({
      dataDir: join(mkdtempSync(join(tmpdir(), 'sendonce-chaos-')), 'redis'),
    });
    const proxy = await TcpProxy.start(redis.port);
    const campaignsDir = makeCampaignDir({ csv: makeCsv(recipients), settings: 'in_doubt: resend\n' });
    const env = { SES_MAX_RATE: String(RATE) };
    const system = await System.start({ campaignsDir, redisUrl: redis.url, env });
    return new Round(redis, proxy, system, plan, recipients, new Date());
  }

  async play(): Promise<RoundResult> {
    const startedAt = Date.now();
    await this.system.startDashboard();
    await this.system.setFaults({ seed: this.plan.seed, rules: this.plan.faults });
    for (let worker = 0; worker < WORKERS; worker++) this.#workers[worker] = this.#spawnWorker();
    this.#run = await this.system.startRun('news', this.at);
    await this.system.whenSent(this.#run, 1);
    await this.#carryOut();
    await this.system.whenFinished(this.#run, END_TIMEOUT_MS);
    return this.#judge((Date.now() - startedAt) / 1_000);
  }

  async stop(): Promise<void> {
    this.proxy.mend();
    await this.system.stop();
    await this.proxy.stop();
    await this.redis.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  #spawnWorker(): ChildProcess {
    return this.system.spawn('worker', { REDIS_URL: this.proxy.url });
  }

  /** Every action at its time, all of them to their end: a frozen worker wakes before the round is judged. */
  async #carryOut(): Promise<void> {
    const startedAt = Date.now();
    const pending: Promise<void>[] = [];
    for (const { atMs, action } of this.plan.actions) {
      await sleep(Math.max(0, startedAt + atMs - Date.now()));
      // One after the other for what has to do with Redis, since a server can't be killed twice at once.
      const done = this.#do(action);
      if (action.kind === 'freeze-worker') pending.push(done);
      else await done;
    }
    await Promise.all(pending);
  }

  async #do(action: Action): Promise<void> {
    switch (action.kind) {
      case 'kill-worker':
        return this.#killWorker(action.worker);
      case 'freeze-worker':
        return this.#freezeWorker(action.worker);
      case 'kill-redis':
        await this.redis.kill('SIGKILL');
        return this.redis.start();
      case 'cut-network':
        this.proxy.cut();
        await sleep(action.forMs);
        return this.proxy.mend();
      case 'redeliver':
        return this.#redeliver(action.chunk);
      case 'start-again':
        await Promise.all([this.system.startRun('news', this.at), this.system.startRun('news', this.at)]);
        return;
    }
  }

  async #killWorker(worker: number): Promise<void> {
    const victim = this.#workers[worker];
    if (victim) await this.system.kill(victim);
    this.#workers[worker] = this.#spawnWorker();
  }

  async #freezeWorker(worker: number): Promise<void> {
    const victim = this.#workers[worker];
    victim?.kill('SIGSTOP');
    await sleep(FREEZE_MS);
    victim?.kill('SIGCONT');
  }

  /** As an operator with Bull Board might: the job is taken out if that is possible, and added again. */
  async #redeliver(chunk: number): Promise<void> {
    const { sends } = this.system.queues;
    const jobId = sendJobId({ run: this.#run, chunk });
    const job = await sends.getJob(jobId);
    // A job that a worker holds can't be removed; then another one under another name does as well.
    const isGone = await job?.remove().then(
      () => true,
      () => false,
    );
    const data = { run: this.#run, chunk, chunks: Math.ceil(this.recipients / CHUNK_SIZE) };
    await sends.add('send', data, { jobId: isGone ? jobId : `${jobId}/again` });
  }

  async #judge(seconds: number): Promise<RoundResult> {
    const inbox = await this.system.positions(this.#run);
    const { chunks, numbers } = await this.system.runs.get(this.#run);
    let duplicates = 0;
    let mismatches = 0;
    let served = 0;
    for (const times of Object.values(inbox)) duplicates += times - 1;
    for (let chunk = 0; chunk < chunks; chunk++) {
      const states = (await this.system.ledger.states({ run: this.#run, chunk })) ?? [];
      states.forEach((state, position) => {
        const isInInbox = (inbox[`${chunk}/${position}`] ?? 0) > 0;
        if (isInInbox) served += 1;
        if (isInInbox !== (state === 'sent')) mismatches += 1;
      });
    }
    const losses = this.recipients - served;
    return {
      plan: this.plan,
      recipients: this.recipients,
      duplicates,
      losses,
      inDoubt: numbers.in_doubt,
      mismatches,
      seconds,
    };
  }
}
