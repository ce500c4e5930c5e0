/** The simulator as a process of its own: settings, log, start, stop. */
import { pino } from 'pino';
import { startSesLocal } from './sesLocal.js';
import { readSettings, type SesLocalSettings, SettingsError } from './settings.js';

/** How often we look whether the parent is still there. */
const PARENT_CHECK_MS = 500;

// Looked up before anything takes time: a parent that dies meanwhile would be taken for another one.
const parent = process.ppid;
const settings = readSettingsOrExit();
const logger = pino({ base: { service: 'ses-local' }, level: settings.logLevel });
const sesLocal = await startSesLocal({ ...settings.config, logger }).catch((error: unknown) => {
  logger.fatal({ err: error }, 'local SES can not start');
  process.exit(1);
});
logger.info({ url: sesLocal.url }, 'local SES ready');
process.send?.({ ready: sesLocal.url });

let isStopping = false;
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (process.send) process.on('disconnect', stop);
if (settings.exitsWithParent) stopWithParent();

function stop(): void {
  if (isStopping) process.exit(1);
  isStopping = true;
  void sesLocal.stop().then(() => process.exit(0));
}

/** A process whose parent has died gets another one. */
function stopWithParent(): void {
  setInterval(() => {
    if (process.ppid !== parent && !isStopping) stop();
  }, PARENT_CHECK_MS).unref();
}

function readSettingsOrExit(): SesLocalSettings {
  try {
    return readSettings(process.env);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}
