/**
 * The journal of a chunk: what happened to whom, when, and why. It is for people (export, run page), never for deciding
 * whether to send: that is the states' business alone.
 */
import { promisify } from 'node:util';
import { deflateRaw, inflateRawSync } from 'node:zlib';
import type { LedgerEvent } from './transitions.js';

export interface JournalEntry {
  position: number;
  event: LedgerEvent;
  /** Milliseconds since the epoch. */
  at: number;
  /** SES's message id, or the reason, without addresses. */
  detail: string;
}

const compress = promisify<string, Buffer>(deflateRaw);

type PackedEntry = [position: number, event: LedgerEvent, at: number, detail: string];

/** The entries of one micro-batch as one list element. */
export function encodeEntries(entries: readonly JournalEntry[]): string {
  return entries.length === 0 ? '' : JSON.stringify(entries.map(pack));
}

/** One of a list element. */
export function encodeEntry(entry: JournalEntry): string {
  return JSON.stringify(pack(entry));
}

function pack({ position, event, at, detail }: JournalEntry): PackedEntry {
  return [position, event, at, detail];
}

export function decodeEntries(elements: readonly string[]): JournalEntry[] {
  return elements
    .flatMap((element) => JSON.parse(element) as PackedEntry[])
    .map(([position, event, at, detail]) => ({ position, event, at, detail }));
}

/** Beside the thread that sends. */
export function encodeArchive(elements: readonly string[]): Promise<Buffer> {
  return compress(elements.join('\n'));
}

export function decodeArchive(archive: Buffer): string[] {
  const text = inflateRawSync(archive).toString('utf8');
  return text === '' ? [] : text.split('\n');
}
