/**
 * Start and stop of a process. SIGTERM and SIGINT stop the services in the reverse order of their start; a second signal
 * ends the process at once, because an operator who asks twice means it.
 */
import { exitCodeOf, UsageError } from './errors.js';
import { type Logger, makeLogger } from './logger.js';
import { readSettings, type Settings } from './settings.js';

export interface Service {
  readonly name: string;
  /** May be called twice, and before `start` has ended; returns when truly done. */
  stop(): Promise<void>;
}

/** How long a stop may take before the process gives up and ends, in ms: below the 10 s that `docker stop` waits. */
const STOP_TIMEOUT_MS = 9_000;

/** Starts the services of a process, and adds each to the list as soon as it has something to stop. */
export type Start = (services: Service[], settings: Settings, logger: Logger) => Promise<void>;

/**
 * Reads the settings, runs `start`, then waits for a signal and stops what was started. Ends the process with 0, 1 or 2.
 * A forked child also stops when its parent goes away (the IPC channel closes).
 */
export async function runProcess(name: string, start: Start): Promise<void> {
  const services: Service[] = [];
  let logger = makeLogger(name, 'info');
  let isStopping = false;
  const stop = async (reason: string, code: number): Promise<void> => {
    if (isStopping) process.exit(code || 1);
    isStopping = true;
    logger.info({ reason }, 'stopping');
    setTimeout(() => {
      logger.error({ after_ms: STOP_TIMEOUT_MS }, 'could not stop in time');
      process.exit(1);
    }, STOP_TIMEOUT_MS).unref();
    for (const service of services.reverse()) {
      await service
        .stop()
        .catch((error: unknown) => logger.error({ err: error, stopped: service.name }, 'stop failed'));
    }
    process.exit(code);
  };
  process.on('SIGTERM', () => void stop('SIGTERM', 0));
  process.on('SIGINT', () => void stop('SIGINT', 0));
  if (process.send) process.on('disconnect', () => void stop('the parent process is gone', 0));
  try {
    const settings = readSettings();
    logger = makeLogger(name, settings.logLevel);
    await start(services, settings, logger);
  } catch (error) {
    // Usage errors are sentences for people; anything else comes with its stack.
    if (error instanceof UsageError) process.stderr.write(`${error.message}\n`);
    else logger.fatal({ err: error }, 'failed to start');
    await stop('failed to start', exitCodeOf(error));
  }
}
