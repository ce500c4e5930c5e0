/**
 * The way in on any machine that has Node and npm: brings the dependencies, compiles, brings a Redis where the command needs
 * one of its own, runs the command, and cleans up. Runs before anything is installed, so it stands on Node alone.
 */
import { join } from 'node:path';
import { BootstrapError, root } from './bootstrap/common.mjs';
import { Interruption } from './bootstrap/interruption.mjs';
import { checkNode } from './bootstrap/nodeVersion.mjs';
import { prepare } from './bootstrap/prepare.mjs';
import { startRedis, startTemporaryRedis } from './bootstrap/redis.mjs';
import { runToEnd } from './bootstrap/runToEnd.mjs';
import { COMMANDS, usage } from './commands.mjs';

const [name = '', ...args] = process.argv.slice(2);
const interruption = new Interruption();
try {
  process.exitCode = await main();
} catch (error) {
  process.exitCode = report(error);
}

async function main() {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    throw new BootstrapError(`${name ? `There is no command "${name}".` : 'Which command?'}\n${usage()}`, 2);
  }
  checkNode(process.versions.node);
  await prepare({ signal: interruption.signal });
  if (!command.entry) return 0;
  const redis = command.redis === 'embedded' ? await ownRedis(command) : undefined;
  try {
    interruption.signal.throwIfAborted();
    const env = redis ? { ...process.env, REDIS_URL: redis.url } : process.env;
    const { entry, nodeFlags = [], args: ownArgs = [] } = command;
    return await runToEnd([...nodeFlags, join(root, entry), ...ownArgs, ...args], env, interruption);
  } finally {
    await redis?.stop();
  }
}

/**
 * Only the environment counts here, not the `.env` that the processes read too: what stands in there may be the server that
 * real campaigns run on, and neither tests nor a demo have a place on it.
 */
async function ownRedis({ isKept }) {
  if (process.env.REDIS_URL) return undefined;
  if (!isKept) return startTemporaryRedis(name);
  return startRedis({ dataDir: join(root, '.data', name, 'redis'), isFresh: true });
}

/** @returns the exit code for it: 1 failed, 2 wrong usage or nothing to work with, 128 + n as shells say "signal n". */
function report(error) {
  if (interruption.signal.aborted) return interruption.exitCode;
  process.stderr.write(`${error instanceof BootstrapError ? error.message : error.stack}\n`);
  return error.exitCode ?? 1;
}
