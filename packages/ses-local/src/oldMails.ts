/**
 * What stays of mails whose content is gone: a line each, a thousand lines a buffer outside of the heap (some 200 bytes a
 * mail). They are read again only when somebody asks for them.
 */
import type { StoredMail } from './mailStore.js';

const LINES_A_BLOCK = 1_000;

export class OldMails {
  readonly #limit: number;
  #blocks: Buffer[] = [];
  #lines: string[] = [];

  /** @param limit mails, at least about; whole blocks are given up. */
  constructor(limit: number) {
    this.#limit = Math.max(0, limit);
  }

  push({ messageId, acceptedAt, to, tags }: StoredMail): void {
    this.#lines.push(JSON.stringify([messageId, acceptedAt.getTime(), to, tags]));
    if (this.#lines.length < LINES_A_BLOCK) return;
    this.#blocks.push(Buffer.from(this.#lines.join('\n')));
    this.#lines = [];
    if (this.#blocks.length * LINES_A_BLOCK > this.#limit) this.#blocks.shift();
  }

  get(messageId: string): StoredMail | undefined {
    for (const mail of this.newestFirst(messageId)) if (mail.messageId === messageId) return mail;
    return undefined;
  }

  /** @param part blocks without this text are passed over; its ASCII letters may be of any case. */
  *newestFirst(part?: string): Generator<StoredMail> {
    yield* [...this.#lines].reverse().map(parseLine);
    for (let index = this.#blocks.length - 1; index >= 0; index--) {
      const text = this.#blocks[index]?.toString() ?? '';
      if (part && !text.toLowerCase().includes(part.toLowerCase())) continue;
      yield* text.split('\n').reverse().map(parseLine);
    }
  }
}

function parseLine(line: string): StoredMail {
  const [messageId, acceptedAt, to, tags] = JSON.parse(line) as [
    string,
    number,
    string[],
    StoredMail['tags'],
  ];
  return { messageId, acceptedAt: new Date(acceptedAt), to, tags };
}
