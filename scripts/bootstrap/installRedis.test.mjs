import { describe, expect, it } from 'vitest';
import { makePlan, typedCommand } from './installRedis.mjs';

function machine(programs, { isRoot = false } = {}) {
  return { isOnPath: (program) => programs.includes(program), isRoot };
}

/** What is run, as one would type it, without the options. */
function commands(plan) {
  return plan.install.map((words) => words.filter((word) => !/^-|=/.test(word)).join(' '));
}

describe('the plan to install Redis', () => {
  it.each([
    ['apt-get', ['env apt-get install redis-tools']],
    ['dnf', ['env dnf install valkey', 'env dnf install redis']],
    ['apk', ['env apk add redis', 'env apk add valkey']],
  ])('root uses %s', (program, expected) => {
    expect(commands(makePlan(machine([program], { isRoot: true })))).toEqual(expected);
  });

  it('others use sudo, which must not ask for a password', () => {
    const plan = makePlan(machine(['apt-get', 'sudo']));
    expect(plan.install[0].slice(0, 2)).toEqual(['sudo', '-n']);
    expect(plan.refresh.slice(0, 2)).toEqual(['sudo', '-n']);
  });

  it('brew works without root, and is never given it', () => {
    expect(makePlan(machine(['brew', 'sudo'])).install[0]).not.toContain('sudo');
  });

  it.each([
    ['no package manager', []],
    ['no right to use it', ['apt-get']],
  ])('there is none with %s', (_, programs) => {
    expect(makePlan(machine(programs))).toBeUndefined();
  });
});

it.each([
  [['apt-get'], false, 'sudo apt-get install redis-tools'],
  [['apt-get'], true, 'apt-get install redis-tools'],
  [['brew'], false, 'brew install redis'],
  [[], false, 'redis or valkey, with the package manager of this system'],
])('with %j, root %s, the error says what to type', (programs, isRoot, expected) => {
  expect(typedCommand(machine(programs, { isRoot }))).toBe(expected);
});
