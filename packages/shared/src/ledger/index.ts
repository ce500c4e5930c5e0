/** The ledger: the states of a run's recipients, their transitions, and the scripts that make them. */
export { CHUNK_SIZE, type ChunkRef, chunkKeys } from './chunk.js';
export { ClaimBarrier, type DurableStoreServices, NotDurableError } from './claimBarrier.js';
export { assertDurable, awaitDurability, type Durability, readDurability } from './durability.js';
export type { JournalEntry } from './journal.js';
export {
  type Claim,
  type Doubt,
  Ledger,
  type Moved,
  OlderDataError,
  type Settlement,
  type Tally,
  UnknownChunkError,
} from './ledger.js';
export { readMemory } from './memory.js';
export { decodeRecipients, encodeRecipients, type Recipient } from './recipients.js';
export {
  isLegal,
  type LedgerEvent,
  type RecipientState,
  STATE_NAMES,
  STATES,
  TRANSITIONS,
  transitionsAsMermaid,
} from './transitions.js';
