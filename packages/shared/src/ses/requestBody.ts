/**
 * The body of a SendEmail request. What a run's mails have in common, its attachments, comes first and is made once: base64,
 * and the state of SHA-256 after it, from which each mail's hash goes on. So a mail costs the same processor time however
 * large its attachments are, and no memory for them; only sending it takes longer.
 */
import { createHash, type Hash, hash } from 'node:crypto';
import type { Attachment, SendEmailCommandInput } from '@aws-sdk/client-sesv2';

/** Of an attachment that is handed to the socket at once, bytes: it copies what it can't write. */
const PIECE_BYTES = 65_536;

export interface RequestBody {
  /** SHA-256 in hex. */
  hash: string;
  /** Bytes. */
  length: number;
  content: Buffer | Iterable<Buffer>;
}

interface SharedStart {
  json: Buffer;
  hash: Hash;
}

export class RequestBodies {
  /** By the list itself, which all mails of a run share; gone with it. */
  readonly #starts = new WeakMap<Attachment[], SharedStart>();

  make(mail: SendEmailCommandInput): RequestBody {
    const attachments = mail.Content?.Simple?.Attachments;
    if (attachments) return this.#after(this.#startOf(attachments), mail);
    const content = Buffer.from(JSON.stringify(mail));
    return { hash: hash('sha256', content, 'hex'), length: content.length, content };
  }

  #after(start: SharedStart, { Content, ...mail }: SendEmailCommandInput): RequestBody {
    const { Attachments: _, ...simple } = Content?.Simple ?? {};
    // Both are objects with something in them; their first brace is open already.
    const rest = Buffer.from(`${JSON.stringify(simple).slice(1)}},${JSON.stringify(mail).slice(1)}`);
    return {
      hash: start.hash.copy().update(rest).digest('hex'),
      length: start.json.length + rest.length,
      content: pieces(start.json, rest),
    };
  }

  #startOf(attachments: Attachment[]): SharedStart {
    const known = this.#starts.get(attachments);
    if (known) return known;
    const json = Buffer.from(
      `{"Content":{"Simple":{"Attachments":${JSON.stringify(attachments.map(toWire))},`,
    );
    const start = { json, hash: createHash('sha256').update(json) };
    this.#starts.set(attachments, start);
    return start;
  }
}

/** JSON has no bytes. */
function toWire({ RawContent, ...attachment }: Attachment): object {
  return { ...attachment, RawContent: Buffer.from(RawContent ?? '').toString('base64') };
}

function* pieces(start: Buffer, rest: Buffer): Generator<Buffer> {
  for (let at = 0; at < start.length; at += PIECE_BYTES) yield start.subarray(at, at + PIECE_BYTES);
  yield rest;
}
