/** A place to write pino's lines to, beside the usual one: what is an error becomes an alert. */
import { Writable } from 'node:stream';
import type { Alerts } from './alerts.js';
import { occurrenceOf, type RecordContext } from './logRecord.js';
import { makeScrubber } from './scrub.js';

/** For `pino.multistream`, with `level: 'error'`. */
export function alertStream(alerts: Alerts, { pageOf }: Pick<RecordContext, 'pageOf'> = {}): Writable {
  const context = { scrubber: makeScrubber(), source: alerts.source, pageOf };
  return new Writable({
    decodeStrings: false,
    write(line: string | Buffer, _encoding, done) {
      const occurrence = occurrenceOf(JSON.parse(String(line)) as Record<string, unknown>, context);
      if (occurrence) alerts.take(occurrence);
      done();
    },
  });
}
