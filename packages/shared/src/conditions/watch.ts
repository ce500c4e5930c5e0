/**
 * Has administrators told of what needs a person, by whichever process is alive: each looks, and one of them, whoever takes
 * the turn, tells.
 */
import type { Alerts } from '@sendonce/alerts';
import { readHold } from '../continuity/index.js';
import { SchedulePauses } from '../control/index.js';
import { readDurability } from '../ledger/index.js';
import type { Logger, RedisConnection, Service } from '../runtime/index.js';
import { readKnownAccount } from '../ses/index.js';
import { type Trouble, troublesOf } from './conditions.js';
import { readStanding, type StandingServices } from './standing.js';

const LOOK_EVERY_MS = 10_000;

export interface TroubleWatchServices
  extends Pick<StandingServices, 'clock' | 'queues' | 'reputation' | 'runs'> {
  alerts: Alerts;
  logger: Logger;
  redis: RedisConnection;
}

export class TroubleWatch implements Service {
  readonly name = 'trouble watch';
  readonly #services: TroubleWatchServices;
  readonly #standing: StandingServices;
  readonly #turn: string;
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;

  /** @param everyMs how long one look is enough for all processes. */
  constructor(
    services: TroubleWatchServices,
    {
      prefix,
      minReplicas,
      everyMs = LOOK_EVERY_MS,
    }: { prefix: string; minReplicas: number | undefined; everyMs?: number },
  ) {
    const { queues, redis } = services;
    this.#services = services;
    this.#standing = {
      ...services,
      pauses: new SchedulePauses({ redis, prefix }),
      readAccount: () => readKnownAccount(redis, prefix),
      countWorkers: () => queues.sends.getWorkersCount(),
      readDurability: () => readDurability(redis, minReplicas),
      readHold: () => readHold(redis, prefix),
    };
    this.#turn = `${prefix}:1:trouble-watch`;
    this.#timer = setInterval(() => {
      this.#looking ??= this.#takeTurn(everyMs).finally(() => {
        this.#looking = undefined;
      });
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #takeTurn(everyMs: number): Promise<void> {
    const { alerts, logger, redis } = this.#services;
    // Others tell when Redis is away; waiting for it would only pile up looks.
    if (redis.status !== 'ready') return;
    try {
      const isMine = await redis.set(this.#turn, process.pid, 'PX', Math.ceil(everyMs * 0.8), 'NX');
      if (!isMine) return;
      const troubles = troublesOf(await readStanding(this.#standing));
      await alerts.setConditions(troubles.filter(({ level }) => level !== 'hint').map(asCondition));
    } catch (error) {
      logger.warn({ err: error }, 'could not look for trouble');
    }
  }
}

function asCondition({ key, text, page }: Trouble) {
  return { key, title: text, ...(page && { page }) };
}
