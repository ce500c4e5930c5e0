/**
 * A worker's heap holds two chunks and what the AWS SDK throws away for every mail. Left to itself V8 lets that garbage
 * grow with the length of a run: 233 MB resident after 80,000 mails instead of 110 MB, and no faster.
 */
export const WORKER_NODE_FLAGS = ['--max-semi-space-size=4', '--max-old-space-size=192'];

/**
 * The ways in, as a table: what `npm run NAME` starts, and where its Redis comes from. `embedded`: one of our own, unless
 * REDIS_URL is set; `given`: REDIS_URL, the command checks it itself.
 */
export const COMMANDS = {
  demo: {
    entry: 'apps/cli/dist/demo/main.js',
    redis: 'embedded',
    about: 'a campaign to 5,000 recipients, on this machine',
  },
  test: { entry: 'node_modules/vitest/vitest.mjs', args: ['run'], redis: 'embedded', about: 'all tests' },
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
  'ses-local': { entry: 'packages/ses-local/dist/main.js', redis: 'given', about: 'SES on this machine' },
};
