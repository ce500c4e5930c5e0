/**
 * `pino({ transport: { target: '@sendonce/alerts/pino', level: 'error', options } })`: errors of any application that logs
 * with pino, by mail. Runs in pino's own thread, so that it costs the application nothing.
 */
import build from 'pino-abstract-transport';
import { occurrenceOf } from './logRecord.js';
import { type AlertOptions, openAlerts } from './openAlerts.js';
import { makeScrubber } from './scrub.js';

/** To the options of every transport. */
interface AddedByPino {
  $context?: unknown;
  pinoWillSendConfig?: unknown;
}

/** @throws {Error} when an option is wrong. */
export default function alertTransport(given: AlertOptions & AddedByPino) {
  const { $context: _, pinoWillSendConfig: __, ...options } = given;
  const { alerts, close } = openAlerts(options);
  const context = { scrubber: makeScrubber(), source: alerts.source };
  return build(
    async (lines) => {
      for await (const line of lines) {
        const occurrence = occurrenceOf(line as Record<string, unknown>, context);
        if (occurrence) alerts.take(occurrence);
      }
    },
    { close },
  );
}
