import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './bootstrap/common.mjs';
import { COMMANDS, usage } from './commands.mjs';

it('every command is an npm script, which the shell hands over to, so that signals for npm reach it', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const expected = Object.keys(COMMANDS).map((name) => [name, `exec node scripts/run.mjs ${name}`]);
  expect(scripts).toEqual(Object.fromEntries(expected));
});

it.each(Object.keys(COMMANDS))('the usage tells of %s', (name) => {
  expect(usage()).toMatch(new RegExp(`npm run ${name} .*\\w`));
});
