/**
 * Up to which version this process has claimed from a chunk. A job may come back while the chunk's data have gone back in
 * time (its node was lost, and a replica that lagged behind took over): whoever looked only at the data that are there now
 * would find nothing wrong with them.
 */
import type { Continuity } from '@sendonce/shared/continuity';
import type { ChunkRef } from '@sendonce/shared/ledger';

/** A worker is at a few chunks at a time; those that are done come back only after a fault. */
const KEPT_CHUNKS = 1_000;

export class ClaimedVersions {
  readonly #continuity: Pick<Continuity, 'releasedAt'>;
  #releasedAt = 0;
  /** Those claimed from last are last. */
  readonly #versions = new Map<string, number>();

  constructor(continuity: Pick<Continuity, 'releasedAt'>) {
    this.#continuity = continuity;
  }

  /** The version of the last claim; 0: none is remembered, or an operator has let older data go on since. */
  of(ref: ChunkRef): number {
    const { releasedAt } = this.#continuity;
    if (releasedAt !== this.#releasedAt) this.forget();
    this.#releasedAt = releasedAt;
    return this.#versions.get(nameOf(ref)) ?? 0;
  }

  remember(ref: ChunkRef, version: number): void {
    const name = nameOf(ref);
    this.#versions.delete(name);
    this.#versions.set(name, version);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > KEPT_CHUNKS && oldest !== undefined) this.#versions.delete(oldest);
  }

  forget(): void {
    this.#versions.clear();
  }
}

const nameOf = ({ run, chunk }: ChunkRef): string => `${run}/${chunk}`;
