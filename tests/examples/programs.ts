/** What the examples are run with. Where it is missing their tests are skipped, visibly; in CI that is a failure. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const answers = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;

/** The first of these that can import it. Debian's packages are seen by Debian's Python, which may not be the one on the PATH. */
const pythonWith = (name: string): string | undefined =>
  ['python3', '/usr/bin/python3'].find((python) => answers(python, '-c', `import ${name}`));

const PROGRAMS = {
  curl: { find: () => (answers('curl', '--version') ? 'curl' : undefined), install: 'apt install curl' },
  python: { find: () => pythonWith('urllib.request'), install: 'apt install python3' },
  django: { find: () => pythonWith('django'), install: 'apt install python3-django' },
};

/** A `describe` whose tests get the program. */
export function describeWith(name: keyof typeof PROGRAMS, tests: (program: string) => void): void {
  const { find, install } = PROGRAMS[name];
  const program = find();
  const title = `the example for ${name}`;
  if (program) return void describe(title, () => tests(program));
  const missing = it.skipIf(!process.env.CI);
  missing(`${title}: it is not on this machine (${install})`, () => expect(program, name).toBeDefined());
}

/** Runs it to its end. @throws with what it wrote, when it fails. */
export async function runExample(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<string> {
  const all = { PATH: process.env.PATH ?? '', PYTHONDONTWRITEBYTECODE: '1', ...env };
  const { stdout } = await promisify(execFile)(program, args, { env: all });
  return stdout.trim();
}
