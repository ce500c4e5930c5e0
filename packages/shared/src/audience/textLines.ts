/**
 * A text file's physical lines, streamed in batches: one chunk of the file at a time is in memory, and one line of at most
 * `MAX_LINE_CHARACTERS`.
 */
import { createReadStream } from 'node:fs';
import { AudienceSourceError } from './audienceSource.js';

export const MAX_LINE_CHARACTERS = 1_000_000;
/** 64 kB chunks were a tenth slower, 1 MB no faster. */
const CHUNK_BYTES = 262_144;

/** A line without its end; undefined when it is too long to be kept. */
export type Line = string | undefined;

/**
 * UTF-8, with or without a byte order mark; LF or CRLF.
 * @throws {AudienceSourceError} when the file can't be read, or is UTF-16.
 */
export async function* lineBatches(file: string, signal?: AbortSignal): AsyncGenerator<Line[]> {
  const splitter = new LineSplitter();
  let isFirst = true;
  for await (const chunk of chunksOf(file, signal)) {
    if (isFirst) assertNotUtf16(file, chunk);
    isFirst = false;
    yield splitter.push(chunk);
  }
  yield splitter.end();
}

async function* chunksOf(file: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const input = createReadStream(file, { highWaterMark: CHUNK_BYTES, ...(signal && { signal }) });
  try {
    yield* input as AsyncIterable<Buffer>;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new AudienceSourceError(file, undefined, reasonOf(error), { cause: error });
  } finally {
    input.destroy();
  }
}

class LineSplitter {
  readonly #decoder = new TextDecoder('utf-8');
  #rest = '';
  #isTooLong = false;

  push(chunk: Buffer): Line[] {
    return this.#split(this.#decoder.decode(chunk, { stream: true }));
  }

  /** The last line may come without an end. */
  end(): Line[] {
    const lines = this.#split(this.#decoder.decode());
    if (this.#isTooLong) lines.push(undefined);
    else if (this.#rest !== '') lines.push(withoutCr(this.#rest));
    return lines;
  }

  #split(text: string): Line[] {
    const parts = text.split('\n');
    const last = parts.pop() ?? '';
    if (parts.length === 0) {
      this.#keep(last);
      return [];
    }
    const [first = '', ...others] = parts;
    this.#keep(first);
    const lines: Line[] = [this.#isTooLong ? undefined : withoutCr(this.#rest), ...others.map(withoutCr)];
    this.#rest = '';
    this.#isTooLong = false;
    this.#keep(last);
    return lines.map((line) => (line !== undefined && line.length > MAX_LINE_CHARACTERS ? undefined : line));
  }

  #keep(text: string): void {
    this.#isTooLong ||= this.#rest.length + text.length > MAX_LINE_CHARACTERS;
    this.#rest = this.#isTooLong ? '' : this.#rest + text;
  }
}

function withoutCr(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function assertNotUtf16(file: string, chunk: Buffer): void {
  const mark = chunk.length < 2 ? 0 : chunk.readUInt16BE(0);
  if (mark === 0xfffe || mark === 0xfeff)
    throw new AudienceSourceError(file, 1, 'the file is UTF-16: save it as UTF-8');
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'this is a folder, not a file';
  return `the file can't be read: ${message}`;
}
