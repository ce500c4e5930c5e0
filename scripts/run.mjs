/**
 * The way in on any machine that has Node and npm: brings the dependencies, compiles, brings a Redis where the command needs
 * one of its own, runs the command, and cleans up. Runs before anything is installed, so it stands on Node alone.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from './bootstrap/build.mjs';
import { BootstrapError, root } from './bootstrap/common.mjs';
import { install } from './bootstrap/install.mjs';
import { startRedis } from './bootstrap/redis.mjs';
import { COMMANDS } from './commands.mjs';

const [name = '', ...args] = process.argv.slice(2);
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}

async function main() {
  const command = COMMANDS[name];
  if (!command) {
    const list = Object.entries(COMMANDS).map(
      ([known, { about }]) => `  npm run ${known.padEnd(10)} ${about}`,
    );
    throw new BootstrapError(`There is no command "${name}". There are:\n${list.join('\n')}`);
  }
  checkNode();
  await install();
  await build();
  const env = { ...process.env };
  const redis =
    command.redis === 'embedded' && !env.REDIS_URL
      ? await startRedis({ dataDir: join(root, '.data', name, 'redis'), isFresh: true })
      : undefined;
  if (redis) env.REDIS_URL = redis.url;
  try {
    return await runToEnd(
      [...(command.nodeFlags ?? []), join(root, command.entry), ...(command.args ?? []), ...args],
      env,
    );
  } finally {
    await redis?.stop();
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new BootstrapError(
    `Sendonce needs Node 20.19 or newer, this is ${process.versions.node}. See https://nodejs.org/`,
  );
}

/**
 * Runs a Node program to its end. Ctrl-C on a terminal reaches the program by itself, as it is in our process group; a
 * signal that is sent to us alone is handed on. In both cases we stay until the program has ended.
 */
function runToEnd(command, env) {
  const child = spawn(process.execPath, command, { cwd: process.cwd(), env, stdio: 'inherit' });
  process.on('SIGINT', () => {
    if (!process.stdin.isTTY) child.kill('SIGINT');
  });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}
