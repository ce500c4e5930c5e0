import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the repo. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** A sentence for whoever typed the command. */
export class BootstrapError extends Error {}

export function announce(text) {
  process.stderr.write(`sendonce: ${text}\n`);
}

/** Runs a program quietly; its output is in the error when it fails. */
export function runQuietly(program, args, options = {}) {
  return new Promise((resolvePromise, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root, ...options });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) return resolvePromise(output);
      reject(
        new BootstrapError(
          `${[program, ...args].join(' ')} failed (${code}):\n${output.trim().split('\n').slice(-40).join('\n')}`,
        ),
      );
    });
  });
}
