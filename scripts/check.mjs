/** `npm run check`: all of it, also when the first thing fails, so that one look shows everything. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './bootstrap/common.mjs';

const CHECKS = [
  ['format and lint', '@biomejs/biome/bin/biome', 'check', '.'],
  // The packages themselves are compiled, and so checked, before any command.
  ['types of the tests', 'typescript/bin/tsc', '-p', 'tsconfig.tests.json'],
  ['unused files, exports and dependencies', 'knip/bin/knip.js', '--no-progress'],
];

const failed = CHECKS.filter(([title, tool, ...args]) => {
  process.stdout.write(`— ${title}\n`);
  const command = [join(root, 'node_modules', tool), ...args];
  return spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' }).status !== 0;
});
process.stdout.write(
  failed.length > 0 ? `check failed: ${failed.map(([title]) => title).join('; ')}\n` : 'check passed\n',
);
process.exitCode = failed.length > 0 ? 1 : 0;
