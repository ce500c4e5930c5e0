/** A command that says which signals it got, and ends as it was asked to. Run through `runToEnd`: `runner` as argument. */
import { fileURLToPath } from 'node:url';
import { Interruption } from '../interruption.mjs';
import { runToEnd } from '../runToEnd.mjs';

if (process.argv[2] === 'runner') {
  process.exitCode = await runToEnd([fileURLToPath(import.meta.url)], process.env, new Interruption());
} else {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      process.stdout.write(`${signal}\n`);
      // Not at once: a second one would be counted, too.
      setTimeout(() => process.exit(7), 300);
    });
  }
  process.stdout.write('ready\n');
  setInterval(() => undefined, 1_000);
}
