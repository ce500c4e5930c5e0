/**
 * Start and stop of a process. SIGTERM and SIGINT stop the services in the reverse order of their start; a second signal
 * ends the process at once, because an operator who asks twice means it.
 *
 * starting → running → stopping. `/readyz` says so from before the first service starts until the process is gone.
 */
import { type Alerts, alertStream, type OpenAlerts, openAlerts } from '@sendonce/alerts';
import { exitCodeOf, UsageError } from './errors.js';
import { Health } from './health.js';
import { type MetricsSource, startHealthServer } from './healthServer.js';
import { type Logger, makeLogger } from './logger.js';
import { type ProcessName, readSettings, type Settings } from './settings.js';
import { VERSION } from './version.js';

export interface Service {
  readonly name: string;
  /** May be called twice, and before `start` has ended; returns when truly done. */
  stop(): Promise<void>;
}

/** How long a stop may take before the process gives up and ends, in ms: below the 10 s that `docker stop` waits. */
const STOP_TIMEOUT_MS = 9_000;

/** What a process offers to those who watch it. */
export interface Watch {
  health: Health;
  /** What administrators are told, see conditions/. */
  alerts: Alerts;
  /** What `/metrics` answers from here on. */
  serveMetrics(source: MetricsSource): void;
}

/** Starts the services of a process, and adds each to the list as soon as it has something to stop. */
export type Start = (services: Service[], settings: Settings, logger: Logger, watch: Watch) => Promise<void>;

/**
 * Reads the settings, runs `start`, then waits for a signal and stops what was started. Ends the process with 0, 1 or 2.
 * A forked child also stops when its parent goes away (the IPC channel closes).
 */
export async function runProcess(name: ProcessName, start: Start): Promise<void> {
  const managed = new ManagedProcess(name);
  managed.listenToSignals();
  await managed.start(start);
}

class ManagedProcess {
  readonly #name: ProcessName;
  readonly #services: Service[] = [];
  readonly #health = new Health();
  #logger: Logger;
  #alerts: OpenAlerts | undefined;
  #starting: Promise<void> = Promise.resolve();

  constructor(name: ProcessName) {
    this.#name = name;
    this.#logger = makeLogger(name, 'info');
  }

  listenToSignals(): void {
    process.on('SIGTERM', () => void this.#stop('SIGTERM', 0));
    process.on('SIGINT', () => void this.#stop('SIGINT', 0));
    if (process.send) process.on('disconnect', () => void this.#stop('the parent process is gone', 0));
    // What nobody has caught may have left anything half done: told, and then the process ends and is started anew.
    for (const event of ['uncaughtException', 'unhandledRejection'] as const)
      process.on(event, (error: unknown) => {
        this.#logger.fatal(
          { err: error },
          event === 'uncaughtException' ? 'uncaught error' : 'unhandled rejection',
        );
        void this.#stop('an error was caught by nobody', 1);
      });
  }

  async start(start: Start): Promise<void> {
    this.#starting = this.#start(start);
    try {
      await this.#starting;
    } catch (error) {
      // What fails while it is being stopped fails because of that.
      if (this.#isStopping) return;
      // Usage errors are sentences for people; anything else comes with its stack.
      if (error instanceof UsageError) process.stderr.write(`${error.message}\n`);
      else this.#logger.fatal({ err: error }, 'failed to start');
      await this.#stop('failed to start', exitCodeOf(error));
    }
  }

  async #start(start: Start): Promise<void> {
    const settings = readSettings();
    this.#alerts = this.#openAlerts(settings);
    const { alerts } = this.#alerts;
    this.#logger = makeLogger(this.#name, settings.logLevel, { errors: alertStream(alerts, { pageOf }) });
    const source: { current?: MetricsSource } = {};
    const health = this.#health;
    // Until the process is gone, so that a stop can be watched as well.
    await startHealthServer({ health, logger: this.#logger, source }, this.#name, settings.health);
    const serveMetrics = (current: MetricsSource): void => void Object.assign(source, { current });
    await start(this.#services, settings, this.#logger, { alerts, health, serveMetrics });
    if (health.phase === 'starting') health.phase = 'running';
  }

  #openAlerts({ alerts }: Settings): OpenAlerts {
    const options = { ...alerts, name: this.#name, version: VERSION };
    // A warning, so that it can't cause the next alert.
    const onUndelivered = (reason: string): void => this.#logger.warn({ reason }, 'alert not sent');
    return openAlerts(options, { onUndelivered });
  }

  get #isStopping(): boolean {
    return this.#health.phase === 'stopping';
  }

  async #stop(reason: string, code: number): Promise<void> {
    if (this.#isStopping) process.exit(code || 1);
    this.#health.phase = 'stopping';
    this.#logger.info({ reason }, 'stopping');
    setTimeout(() => {
      this.#logger.error({ after_ms: STOP_TIMEOUT_MS }, 'could not stop in time');
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    await this.#stopServices();
    // Whoever was still starting may have opened more meanwhile, or fails now that its connections are closed.
    await Promise.race([
      this.#starting.catch(() => undefined),
      new Promise((done) => setTimeout(done, 1_000)),
    ]);
    await this.#stopServices();
    await this.#alerts?.close();
    this.#logger.info('stopped');
    process.exit(code);
  }

  /** In the reverse order, one after the other: what stops may still need what was started before it. */
  async #stopServices(): Promise<void> {
    for (let service = this.#services.pop(); service; service = this.#services.pop()) {
      const { name } = service;
      await service
        .stop()
        .catch((error: unknown) => this.#logger.error({ err: error, stopped: name }, 'stop failed'));
    }
  }
}

/** The page of the dashboard that helps with a line of the log. */
function pageOf({ run, queue, job, operation }: Record<string, unknown>): string | undefined {
  if (typeof run === 'string') return `/runs/${encodeURIComponent(run)}`;
  if (typeof queue === 'string' && typeof job === 'string')
    return `/queues/queue/${encodeURIComponent(queue)}/${encodeURIComponent(job)}`;
  return operation ? undefined : '/';
}
