/**
 * A worker's heap holds two chunks, and what each mail throws away. In a small young generation the mails in flight are copied
 * about again and again: with 4 MB a mail costs twice the processor time, with 16 MB 1.2 times; 64 MB bring no more. The old
 * one is collected when it has doubled: by itself V8 does so every 14 MB, three times as often, which marks 35 MB each time
 * (20 µs a mail). Without a limit it lets garbage grow with the length of a run.
 */
export const WORKER_NODE_FLAGS = [
  '--max-semi-space-size=32',
  '--heap-growing-percent=100',
  '--max-old-space-size=192',
];

/**
 * The ways in, as a table: what `npm run NAME` starts once everything is installed and compiled, and where its Redis comes
 * from. `embedded`: a server of its own, unless REDIS_URL is set; `given`: REDIS_URL, which the command checks itself.
 * `isKept`: the server's data stay until the next time, to be looked at.
 */
export const COMMANDS = {
  demo: {
    entry: 'apps/cli/dist/demo/main.js',
    redis: 'embedded',
    isKept: true,
    about: 'a campaign to 5,000 recipients, on this machine',
  },
  test: {
    entry: 'node_modules/vitest/vitest.mjs',
    args: ['run'],
    redis: 'embedded',
    about: 'all tests, or those that are named',
  },
  sendonce: { entry: 'apps/cli/dist/main.js', redis: 'given', about: 'the command line' },
  worker: {
    entry: 'apps/worker/dist/main.js',
    nodeFlags: WORKER_NODE_FLAGS,
    redis: 'given',
    about: 'a worker',
  },
  scheduler: { entry: 'apps/scheduler/dist/main.js', redis: 'given', about: 'a scheduler' },
  dashboard: { entry: 'apps/dashboard/dist/main.js', redis: 'given', about: 'the dashboard' },
  chaos: {
    entry: 'dist-tests/chaos/main.js',
    redis: 'given',
    about: 'runs with something going wrong, judged by the inbox',
  },
  bench: {
    entry: 'dist-bench/main.js',
    redis: 'given',
    about: 'what sending costs, against a bare loop and the usual twenty lines',
  },
  screenshots: {
    entry: 'dist-tests/screenshots/main.js',
    redis: 'embedded',
    about: 'the pictures of the docs, anew',
  },
  'ses-local': { entry: 'packages/ses-local/dist/main.js', redis: 'given', about: 'SES on this machine' },
  check: { entry: 'scripts/check.mjs', redis: 'given', about: 'format, lint, types, unused code' },
  format: {
    entry: 'node_modules/@biomejs/biome/bin/biome',
    args: ['check', '--write', '.'],
    redis: 'given',
    about: 'formats, and repairs what the linter can',
  },
  build: { redis: 'given', about: 'installs and compiles, nothing else' },
};

export function usage() {
  const lines = Object.entries(COMMANDS).map(([name, { about }]) => `  npm run ${name.padEnd(11)} ${about}`);
  return ['There are:', ...lines, 'Arguments for a command follow after --'].join('\n');
}
