/**
 * One round: a run on real processes, with a plan of what goes wrong. Judged by the inbox of the local SES; what a contender
 * says itself is compared with that, recipient by recipient.
 */
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHUNK_SIZE } from '@sendonce/shared/ledger';
import { FENCE_MS, System } from '../e2e/system.js';
import type { Contender, Inbox, Stage } from './contender.js';
import { ClusterOfThree, type Ground, SingleServer } from './ground.js';
import { Naive } from './naive.js';
import { type Action, makePlan, type Plan, type PlanOptions, WORKERS } from './plan.js';
import { makeDueCampaign, Sendonce } from './sendonce.js';

/** Recipients a second, so that a round lasts long enough for its plan. */
const RATE = 400;
const END_TIMEOUT_MS = 120_000;
/** A frozen worker sleeps for longer than the fence, and so past the point where doubts are settled. */
const FREEZE_MS = FENCE_MS + 2_000;

export interface RoundOptions extends PlanOptions {
  seed: number;
  recipients: number;
  /** Default: ours. */
  contender?: 'sendonce' | 'naive';
}

export interface RoundResult {
  plan: Plan;
  mails: number;
  /** Mails that somebody got again. */
  duplicates: number;
  /** Recipients who got nothing, and of whom nobody is told. */
  losses: number;
  /** Doubts that were still open in the end. */
  inDoubt: number;
  /** Recipients of whom the ledger says something else than the inbox. */
  mismatches: number;
  seconds: number;
}

export async function playRound(options: RoundOptions): Promise<RoundResult> {
  const { seed, recipients } = options;
  const plan = makePlan(seed, Math.ceil(recipients / CHUNK_SIZE), options);
  const round = await Round.start(options, plan);
  try {
    return await round.play();
  } finally {
    await round.stop();
  }
}

class Round {
  readonly #workers: ChildProcess[] = [];

  private constructor(
    private readonly ground: Ground,
    private readonly stage: Stage,
    private readonly contender: Contender,
    private readonly plan: Plan,
  ) {}

  static async start({ recipients, contender, isCluster }: RoundOptions, plan: Plan): Promise<Round> {
    const ground = isCluster ? await ClusterOfThree.start() : await SingleServer.start();
    const { campaignsDir, at } = makeDueCampaign(recipients, plan.hasEvents);
    const env = {
      SES_MAX_RATE: String(RATE),
      // A run that Redis has paused is tried again as often as the account is looked at.
      ...(isCluster && { SES_ACCOUNT_REFRESH_SECONDS: '1' }),
      ...(plan.hasEvents ? {} : { SES_CONFIGURATION_SET: '' }),
    };
    const { redisUrl, wiredRedisUrl } = ground;
    const system = await System.start({ campaignsDir, redisUrl, env });
    const stage = { system, recipients, ratePerSecond: RATE, wiredRedisUrl };
    const player = contender === 'naive' ? new Naive(stage) : new Sendonce(stage, { at, ...plan });
    return new Round(ground, stage, player, plan);
  }

  async play(): Promise<RoundResult> {
    const startedAt = Date.now();
    const { system } = this.stage;
    await this.contender.prepare();
    await system.setFaults({ seed: this.plan.seed, rules: this.plan.faults });
    for (let worker = 0; worker < WORKERS; worker++) this.#workers[worker] = this.contender.spawnWorker();
    await this.contender.start();
    await this.#carryOut();
    await this.contender.whenEnded(END_TIMEOUT_MS);
    return this.#judge(await system.positions(this.contender.run), (Date.now() - startedAt) / 1_000);
  }

  async stop(): Promise<void> {
    await this.contender.stop();
    await this.stage.system.stop();
    await this.ground.stop();
    rmSync(this.stage.system.campaignsDir, { recursive: true, force: true });
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
        return this.ground.killRedis(action.server);
      case 'kill-master':
        return this.ground.killMaster(action.server);
      case 'cut-network':
        return this.ground.cutNetwork(action.forMs);
      case 'redeliver':
        return this.contender.redeliver(action.chunk);
      case 'retry-finished':
        return this.contender.retryFinished(action.chunk);
      case 'start-again':
        return this.contender.startAgain();
      case 'second-scheduler':
        return this.contender.secondScheduler();
    }
  }

  async #killWorker(worker: number): Promise<void> {
    const victim = this.#workers[worker];
    if (victim) await this.stage.system.kill(victim);
    this.#workers[worker] = this.contender.spawnWorker();
  }

  async #freezeWorker(worker: number): Promise<void> {
    const victim = this.#workers[worker];
    victim?.kill('SIGSTOP');
    await sleep(FREEZE_MS);
    victim?.kill('SIGCONT');
  }

  async #judge(inbox: Inbox, seconds: number): Promise<RoundResult> {
    const times = Object.values(inbox);
    const mails = times.reduce((sum, count) => sum + count, 0);
    const { inDoubt, inDoubtWithoutMail, mismatches } = await this.contender.compare(inbox);
    return {
      plan: this.plan,
      mails,
      duplicates: mails - times.length,
      losses: this.stage.recipients - times.length - inDoubtWithoutMail,
      inDoubt,
      mismatches,
      seconds,
    };
  }
}
