/**
 * Watches the campaigns' folder and looks again soon after a change; once a minute in any case, because no watcher sees
 * everything (network file systems, bind mounts).
 */
import { type Logger, messageOf, type Service } from '@sendonce/shared/runtime';
import { type FSWatcher, watch } from 'chokidar';

/** Editors write a file in several steps; wait until it has been quiet for this long, ms. */
const SETTLE_MS = 250;
const RESYNC_EVERY_MS = 60_000;

export class CampaignWatcher implements Service {
  readonly name = 'campaign watcher';
  readonly #dir: string;
  readonly #sync: () => Promise<unknown>;
  readonly #logger: Logger;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #current: Promise<unknown> = Promise.resolve();
  #isStopped = false;
  #failure: string | undefined;

  constructor({ dir, sync, logger }: { dir: string; sync: () => Promise<unknown>; logger: Logger }) {
    this.#dir = dir;
    this.#sync = sync;
    this.#logger = logger;
  }

  async start(): Promise<void> {
    if (this.#watcher || this.#isStopped) return;
    this.#watcher = watch(this.#dir, { ignoreInitial: true, depth: 2 });
    this.#watcher.on('all', () => this.#schedule(SETTLE_MS));
    this.#watcher.on('error', (error) =>
      this.#logger.warn({ err: error }, 'watching the campaigns failed, looking once a minute'),
    );
    await this.#look();
  }

  /** For readiness. @throws why the last look failed. */
  standing(): string {
    if (this.#failure !== undefined) throw new Error(this.#failure);
    return 'followed';
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#watcher?.close();
    await this.#current;
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), delayMs);
  }

  /** One look at a time: a second one waits for the first. */
  async #look(): Promise<void> {
    this.#current = this.#current
      .then(() => this.#sync())
      .then(
        () => {
          this.#failure = undefined;
        },
        (error: unknown) => {
          this.#failure = messageOf(error);
          this.#logger.error({ err: error }, 'could not follow the campaign files, next look in a minute');
        },
      );
    await this.#current;
    this.#schedule(RESYNC_EVERY_MS);
  }
}
