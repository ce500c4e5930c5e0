/**
 * A chunk of a run: at most 500 recipients that are claimed, sent and settled together. Its keys carry one hash tag, so
 * that every script touches one slot, and different chunks spread over the nodes of a cluster.
 */
export const CHUNK_SIZE = 500;

export interface ChunkRef {
  run: string;
  /** Counts from 0. */
  chunk: number;
}

export interface ChunkKeys {
  /** One letter a recipient. */
  states: string;
  /** Counts changes of the states. */
  version: string;
  /** Hash: claim id → `claimedAtMs position,position…`; empty when nothing is under way. */
  claims: string;
  /** Hash: position → `claimedAtMs claimId` of recipients in doubt. */
  doubts: string;
  /** List of journal entries, while the run goes on. */
  journal: string;
  /** The journal, compressed, after the chunk has ended. */
  archive: string;
  /** Addresses and merge data, compressed. */
  recipients: string;
  /** One byte a recipient: what became of the mail. */
  outcomes: string;
  /** Hash: outcome → recipients. */
  outcomeCounts: string;
}

/** @param prefix `REDIS_PREFIX` */
export function chunkKeys(prefix: string, { run, chunk }: ChunkRef): ChunkKeys {
  const base = `${prefix}:1:{${run}/${chunk}}`;
  return {
    states: `${base}:states`,
    version: `${base}:version`,
    claims: `${base}:claims`,
    doubts: `${base}:doubts`,
    journal: `${base}:journal`,
    archive: `${base}:archive`,
    recipients: `${base}:recipients`,
    outcomes: `${base}:outcomes`,
    outcomeCounts: `${base}:outcome-counts`,
  };
}
