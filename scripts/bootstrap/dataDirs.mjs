/** Data folders that belong to one process and go with it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isProcessAlive, root } from './common.mjs';

const DATA = join(root, '.data');

export function temporaryDir(name) {
  return join(DATA, `tmp-${name}-${process.pid}`);
}

/** Those whose process could not remove them, because it was killed. */
export function orphanedDirs(data = DATA) {
  if (!existsSync(data)) return [];
  return readdirSync(data)
    .filter((name) => {
      const pid = /^tmp-.+-(\d+)$/.exec(name)?.[1];
      return pid !== undefined && !isProcessAlive(Number(pid));
    })
    .map((name) => join(data, name));
}
