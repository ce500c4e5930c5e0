/** A Redis server in a container, for machines that have Docker and nothing else. */
import { spawn } from 'node:child_process';
import { announce, runQuietly } from './common.mjs';
import { isOnPath } from './localRedis.mjs';

const IMAGE = 'redis:8';

export async function isDockerUsable() {
  if (!isOnPath('docker')) return false;
  return succeeds('info');
}

/** @returns {Promise<import('./redis.mjs').RedisLauncher>} */
export async function dockerLauncher() {
  if (!(await succeeds('image', 'inspect', IMAGE))) {
    announce(`there is no Redis server here; running: docker pull ${IMAGE}`);
    await runQuietly('docker', ['pull', IMAGE]);
  }
  return {
    spawn: ({ dir, port, args }) =>
      spawn('docker', runArguments(dir, port, args), { stdio: 'ignore', detached: true }),
    // The client hands on what it can catch; SIGKILL and SIGSTOP it can't.
    signal: (_child, port, signal) => succeeds('kill', '--signal', signal, containerName(port)),
  };
}

/** The folder has the same path inside, so that what the server says of its files is true outside, too. */
function runArguments(dir, port, args) {
  const user = process.getuid ? ['--user', `${process.getuid()}:${process.getgid()}`] : [];
  const place = ['-v', `${dir}:${dir}`, '-p', `127.0.0.1:${port}:${port}`];
  const server = ['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no', ...args];
  return ['run', '--rm', '--name', containerName(port), ...user, ...place, IMAGE, ...server];
}

function containerName(port) {
  return `sendonce-redis-${port}`;
}

function succeeds(...args) {
  return runQuietly('docker', args).then(
    () => true,
    () => false,
  );
}
