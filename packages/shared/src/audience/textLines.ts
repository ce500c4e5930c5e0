/**
 * A text's physical lines, streamed in batches: one chunk of the text is in memory at a time, and one line of at most
 * `MAX_LINE_CHARACTERS`. UTF-8, with or without a byte order mark; lines end with LF or CRLF.
 */
import { createReadStream } from 'node:fs';
import { AudienceSourceError } from './audienceSource.js';

/** Where a text comes from. */
export interface TextInput {
  /** As errors call it. */
  readonly name: string;
  /** From the start, each time. Whoever stops reading closes it. */
  chunks(signal?: AbortSignal): AsyncIterable<Buffer>;
}

export const MAX_LINE_CHARACTERS = 1_000_000;
/** 256 kB was no faster, and took 24 MB more at the peak of a list of 200,000. */
const CHUNK_BYTES = 65_536;

/** A line without its end; undefined when it is too long to be kept. */
export type Line = string | undefined;

export interface LineBatch {
  lines: Line[];
  /** Nothing comes after this batch. */
  isEnd: boolean;
}

/** @throws {AudienceSourceError} when the file can't be read; the signal's reason when it aborts. */
export function fileInput(file: string): TextInput {
  return {
    name: file,
    async *chunks(signal) {
      const input = createReadStream(file, { highWaterMark: CHUNK_BYTES });
      try {
        for await (const chunk of input as AsyncIterable<Buffer>) {
          signal?.throwIfAborted();
          yield chunk;
        }
      } catch (error) {
        if (signal?.aborted || error instanceof AudienceSourceError) throw error;
        throw new AudienceSourceError(file, undefined, reasonOf(error), { cause: error });
      } finally {
        input.destroy();
      }
    },
  };
}

/** @throws {AudienceSourceError} when the text is UTF-16; whatever its input throws. */
export async function* lineBatches(input: TextInput, signal?: AbortSignal): AsyncGenerator<LineBatch> {
  const splitter = new LineSplitter();
  let isStart = true;
  for await (const chunk of input.chunks(signal)) {
    if (isStart) assertReadable(input.name, chunk);
    isStart = false;
    yield { lines: splitter.push(chunk), isEnd: false };
  }
  yield { lines: splitter.end(), isEnd: true };
}

class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = '';
  #isTooLong = false;

  push(chunk: Buffer): Line[] {
    return this.#split(this.#decoder.decode(chunk, { stream: true }));
  }

  /** The last line may come without an end. */
  end(): Line[] {
    const lines = this.#split(this.#decoder.decode());
    if (this.#isTooLong || this.#rest !== '') lines.push(this.#take());
    return lines;
  }

  #split(text: string): Line[] {
    const [first = '', ...others] = text.split('\n');
    this.#keep(first);
    const lines: Line[] = [];
    for (const next of others) {
      lines.push(this.#take());
      this.#keep(next);
    }
    return lines;
  }

  #keep(text: string): void {
    this.#isTooLong ||= this.#rest.length + text.length > MAX_LINE_CHARACTERS;
    this.#rest = this.#isTooLong ? '' : this.#rest + text;
  }

  #take(): Line {
    const line = this.#rest.endsWith('\r') ? this.#rest.slice(0, -1) : this.#rest;
    const isTooLong = this.#isTooLong;
    this.#rest = '';
    this.#isTooLong = false;
    return isTooLong ? undefined : line;
  }
}

/** @param start of the text. */
function assertReadable(name: string, start: Buffer): void {
  const mark = start.length < 2 ? 0 : start.readUInt16BE(0);
  if (mark === 0xfffe || mark === 0xfeff)
    throw new AudienceSourceError(name, 1, 'the text is UTF-16: save it as UTF-8');
  if (start.includes('\r') && !start.includes('\n'))
    throw new AudienceSourceError(name, 1, 'the lines end with CR alone: save them with LF or CRLF');
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'this is a folder, expected a file';
  return `the file can't be read: ${message}`;
}
