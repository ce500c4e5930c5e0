/**
 * Dependencies and compiled code, up to date. Under one lock, so that two commands which start at once neither install into
 * each other nor run code that the other is writing.
 */
import { join } from 'node:path';
import { build } from './build.mjs';
import { root } from './common.mjs';
import { install } from './install.mjs';
import { withLock } from './lock.mjs';

/** @param {{ signal?: AbortSignal }} options ends what is under way. */
export async function prepare({ signal } = {}) {
  await withLock(join(root, '.data', 'prepare.lock'), { signal }, async () => {
    await install({ signal });
    await build({ signal });
  });
}
