import { makeScrubber, type Scrubber } from '@sendonce/alerts';
import { type DestinationStream, type Logger, multistream, pino, stdSerializers } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

/**
 * One JSON line an event on stdout; coloured lines on a terminal. Addresses and bodies never get here: code logs runs,
 * chunks and positions. `redact` is the second net, for objects of others (HTTP errors carry their headers, Redis's the
 * command with its arguments).
 *
 * @param destination default: stdout.
 * @param errors where lines of level `error` and above go as well.
 */
export function makeLogger(
  service: string,
  level: string,
  { destination, errors }: { destination?: DestinationStream; errors?: DestinationStream } = {},
): Logger {
  const scrubber = makeScrubber();
  const options = {
    base: { service, pid: process.pid },
    level,
    formatters: { log: (fields: Record<string, unknown>) => scrubbed(fields, scrubber) },
    redact: {
      paths: [
        '*.authorization',
        '*.headers',
        '*.password',
        '*.address',
        '*.config',
        '*.$response',
        '*.command',
      ],
      remove: true,
    },
  };
  const out = destination ?? (process.stdout.isTTY ? terminal(service) : pino.destination(1));
  if (!errors) return pino(options, out);
  const streams = [
    { level: 'trace' as const, stream: out },
    { level: 'error' as const, stream: errors },
  ];
  return pino(options, multistream(streams));
}

/** The last net: what others put into their errors and jobs. */
function scrubbed({ err, ...fields }: Record<string, unknown>, scrubber: Scrubber): Record<string, unknown> {
  const told = scrubber.value(fields) as Record<string, unknown>;
  return err === undefined ? told : { ...told, err: scrubber.value(stdSerializers.err(err as Error)) };
}

function terminal(service: string): DestinationStream {
  return pretty({
    colorize: true,
    ignore: 'pid,hostname,service',
    messageFormat: `${service}: {msg}`,
  });
}
