/**
 * Ends a program when we are gone, even by SIGKILL. A waiting shell holds the other end of a pipe from us; the system closes
 * the pipe with our process, whatever ended it, and the shell then stops the program.
 */
import { spawn } from 'node:child_process';

// CONT: a program that was frozen (tests do that) would keep the TERM for later.
const SCRIPT = 'read -r _; kill -s TERM "$1"; kill -s CONT "$1"';

/**
 * @param {number} pid a child of ours.
 * @returns {() => void} unties it; to be called as soon as the child has ended, before its number is given to another.
 */
export function tieToUs(pid) {
  // A session of its own: what ends our process group must not end the watch.
  const watch = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watch.on('error', () => undefined);
  watch.unref();
  watch.stdin.unref();
  return () => watch.kill('SIGKILL');
}
