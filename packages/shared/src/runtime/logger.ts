import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

/**
 * One JSON line an event on stdout; coloured lines on a terminal. Addresses and bodies never get here: code logs runs,
 * chunks and positions. `redact` is the second net, for objects of others (HTTP errors carry their headers, Redis's the
 * command with its arguments).
 *
 * @param destination default: stdout.
 */
export function makeLogger(service: string, level: string, destination?: DestinationStream): Logger {
  const options = {
    base: { service, pid: process.pid },
    level,
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
  if (destination) return pino(options, destination);
  if (!process.stdout.isTTY) return pino(options);
  const terminal: DestinationStream = pretty({
    colorize: true,
    ignore: 'pid,hostname,service',
    messageFormat: `${service}: {msg}`,
  });
  return pino(options, terminal);
}
