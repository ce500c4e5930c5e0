import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { hashPassword } from '@sendonce/shared/access';
import { UsageError } from '@sendonce/shared/runtime';
import type { Command } from 'commander';
import { print } from '../output.js';

const LEAST_LENGTH = 8;

export function addPasswordCommand(program: Command): void {
  program
    .command('password')
    .description('the hash of a password, for DASHBOARD_PASSWORD_HASH and DASHBOARD_USERS')
    .action(async () => {
      const password = await readPassword();
      if (password.length < LEAST_LENGTH)
        throw new UsageError(`The password has less than ${LEAST_LENGTH} characters.`);
      print(await hashPassword(password));
    });
}

/** Twice from a terminal, where nobody sees what is typed; elsewhere the first line of what is piped in. */
async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return readLine('');
  const password = await readLine('Password: ');
  if (password !== (await readLine('Once more: ')))
    throw new UsageError('These are two different passwords.');
  return password;
}

async function readLine(question: string): Promise<string> {
  process.stderr.write(question);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  // As a terminal, readline does the echo itself, and it goes nowhere.
  const lines = createInterface({
    input: process.stdin,
    output: silence,
    terminal: process.stdin.isTTY === true,
  });
  lines.once('SIGINT', () => lines.close());
  const closed = once(lines, 'close').then(() => undefined);
  const line = await Promise.race([once(lines, 'line').then(([text]) => String(text)), closed]);
  lines.close();
  if (question) process.stderr.write('\n');
  if (line === undefined) throw new UsageError('There was no password.');
  return line;
}
