import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { tieToUs } from './lifeline.mjs';

/**
 * Runs a Node program to its end.
 *
 * It gets a session of its own. In ours, Ctrl-C would reach it from the terminal, and a second time through npm and us, which
 * means "at once" to it; now every signal reaches it exactly once, through us. It can still read and write the terminal.
 * @returns its exit code, or 128 + the number of the signal that ended it.
 */
export function runToEnd(command, env, interruption) {
  const child = spawn(process.execPath, command, { env, stdio: 'inherit', detached: true });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    if (child.pid === undefined) return;
    const untie = tieToUs(child.pid);
    interruption.handOnTo(child);
    child.on('exit', (code, signal) => {
      untie();
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
