import { spawn } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The top of the repo. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** How much of a failed program's output is shown, in lines. */
const SHOWN_LINES = 40;

/** A sentence for whoever typed the command. `exitCode`: 1 something failed, 2 wrong usage or nothing to work with. */
export class BootstrapError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function announce(text) {
  process.stderr.write(`sendonce: ${text}\n`);
}

/** Runs a program quietly; its output is in the error when it fails. `options.signal` ends it. */
export function runQuietly(program, args, options = {}) {
  return new Promise((resolveOutput, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root, ...options });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolveOutput(output);
      const command = [program, ...args].join(' ');
      reject(new BootstrapError(`${command} failed (${code ?? signal}):\n${lastLines(output, SHOWN_LINES)}`));
    });
  });
}

export function lastLines(text, count) {
  return text.trim().split('\n').slice(-count).join('\n');
}

/** Whether a process of this number runs, of whichever user. */
export function isProcessAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
