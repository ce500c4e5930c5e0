/** What an installation remembers outside of Redis: a small file, replaced as a whole. */
import { mkdirSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf, UsageError } from '../runtime/index.js';

const Memory = z.object({
  installation: z.string().min(1),
  mark: z.number().int().nonnegative(),
  /** ms since the epoch, by Redis's clock. */
  at: z.number().nonnegative(),
});
export type Memory = z.infer<typeof Memory>;

export class StateFile {
  readonly path: string;

  /** @param name one file a kind of process and Redis prefix: several on a machine must not undo each other's. */
  constructor(dir: string, name: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.path = join(dir, `${name}.json`);
  }

  /** @throws {UsageError} when the file is there and can't be read: what it remembers must not be forgotten by accident. */
  read(): Memory | undefined {
    try {
      return Memory.parse(JSON.parse(readFileSync(this.path, 'utf8')));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new UsageError(
        `${this.path} can't be read: ${messageOf(error)}. If Redis holds the newest data, remove the file.`,
        { cause: error },
      );
    }
  }

  /** On disk when it returns, and never half. Several processes may share the file: what one saw later stays. */
  async write(memory: Memory): Promise<void> {
    if ((this.read()?.at ?? 0) > memory.at) return;
    const draft = `${this.path}.${process.pid}`;
    const file = await open(draft, 'w', 0o600);
    await file.writeFile(JSON.stringify(memory));
    await file.sync();
    await file.close();
    await rename(draft, this.path);
  }
}
