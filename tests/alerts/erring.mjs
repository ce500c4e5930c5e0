/**
 * An application that logs with pino, in two lines, and has errors: `count` of them, one every `everyMs`, of `kinds` kinds;
 * then it lives on until its parent lets it go.
 */
import { pino } from 'pino';

const { options, count, everyMs, kinds, extra } = JSON.parse(process.env.ERRING);
const logger = pino({ transport: { target: '@sendonce/alerts/pino', level: 'error', options } });

const WORDS =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omikron pi rho sigma tau ypsilon';
const names = WORDS.split(' ');

for (let n = 0; n < count; n++) {
  const err = new TypeError(`attempt ${n} for reader${n}@example.com ${extra ?? ''}`);
  logger.error(
    { err, order: n, ...(extra && { apiToken: extra, note: extra }) },
    `cannot ${names[n % kinds]}`,
  );
  if (everyMs > 0 && n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, everyMs * 10));
}
process.send?.('done');
process.on('message', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
