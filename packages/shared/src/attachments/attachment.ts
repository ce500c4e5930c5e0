/**
 * What goes along with every mail of a run. The snapshot names it, the bytes are kept once a run beside it, by their hash:
 * whatever becomes of the file, all recipients get what was there when the run was created.
 */
import { createHash } from 'node:crypto';

export interface Attachment {
  /** From the campaign's folder. */
  file: string;
  /** What recipients see. */
  name: string;
  contentType: string;
  /** Bytes. */
  size: number;
  /** SHA-256 of the content, in hex. */
  hash: string;
  /** Of a picture that is shown in the HTML, by `cid:…`; missing: a file to be opened or kept. */
  contentId?: string;
}

/** Contents by hash. */
export type AttachmentContents = ReadonlyMap<string, Buffer>;

export function hashOfContent(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The HTML as it looks with its pictures, without a mail around it. */
export function withPictures(
  html: string,
  attachments: readonly Attachment[],
  contents: AttachmentContents,
): string {
  let shown = html;
  for (const { contentId, contentType, hash } of attachments) {
    const content = contents.get(hash);
    if (contentId && content)
      shown = shown.replaceAll(
        `cid:${contentId}`,
        `data:${contentType};base64,${content.toString('base64')}`,
      );
  }
  return shown;
}

/** `12.3 kB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, 'kB'] : [bytes / 1_000_000, 'MB'];
  return `${value.toFixed(1)} ${unit}`;
}
