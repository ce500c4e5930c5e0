/**
 * `app.use(alertOnErrors(options))`, after the routes: requests that fail with a 5xx, by mail. The error goes on to the next
 * handler, which answers.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { occurrenceOf } from './logRecord.js';
import { type AlertOptions, openAlerts } from './openAlerts.js';
import { makeScrubber } from './scrub.js';

type ExpressRequest = IncomingMessage & { originalUrl?: string; id?: unknown };

/** @throws {Error} when an option is wrong. */
export function alertOnErrors(options: AlertOptions) {
  const { alerts } = openAlerts(options);
  const scrubber = makeScrubber();
  const context = { scrubber, source: alerts.source };
  return (
    error: unknown,
    request: ExpressRequest,
    _: ServerResponse,
    next: (error: unknown) => void,
  ): void => {
    const status = statusOf(error);
    if (status >= 500) {
      const { method = '', headers } = request;
      const err = error instanceof Error ? error : new Error(String(error));
      const occurrence = occurrenceOf(
        {
          level: 50,
          msg: `${method} ${status}: request failed`,
          method,
          // Without its query: there tokens and addresses are.
          path: (request.originalUrl ?? request.url ?? '').split('?')[0],
          status,
          request: String(request.id ?? headers['x-request-id'] ?? randomUUID()),
          err: { ...(scrubber.value(err) as object), type: err.name, message: err.message, stack: err.stack },
        },
        context,
      );
      if (occurrence) alerts.take(occurrence);
    }
    next(error);
  };
}

/** As http-errors and Express read it. */
function statusOf(error: unknown): number {
  const { status, statusCode } = (error ?? {}) as { status?: unknown; statusCode?: unknown };
  const given = Number(status ?? statusCode);
  return given >= 400 && given < 600 ? given : 500;
}
