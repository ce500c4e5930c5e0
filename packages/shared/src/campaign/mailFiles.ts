/** The files of a campaign's mails: those that it names, and the pictures that its HTML shows. */
import { type Attachment, checkAttachment, findTooMuch } from '../attachments/index.js';

export class MailFiles {
  readonly #baseDir: string;
  readonly #found: Attachment[] = [];

  /** @param baseDir the campaign's folder, absolute. */
  constructor(baseDir: string) {
    this.#baseDir = baseDir;
  }

  get all(): Attachment[] {
    return this.#found;
  }

  /** @returns what is wrong, when something is. */
  async attach({
    file,
    name,
    cid: contentId,
  }: {
    file: string;
    name?: string | undefined;
    cid?: string | undefined;
  }): Promise<{ problem: string; expected?: string } | undefined> {
    if (contentId && this.#found.some((other) => other.contentId === contentId))
      return { problem: `another one has the cid ${contentId}` };
    const isPicture = contentId !== undefined;
    const checked = await checkAttachment(this.#baseDir, { file, name, contentId, isPicture });
    if ('problem' in checked) return checked;
    this.#found.push(checked);
    return undefined;
  }

  /** @param src `cid:…`, or a path from the campaign's folder, as a URL has it. */
  readonly resolveImage = async (src: string): Promise<{ contentId: string } | { problem: string }> => {
    const given = /^cid:(.*)$/is.exec(src)?.[1];
    if (given !== undefined) {
      const isThere = this.#found.some(({ contentId }) => contentId === given);
      return isThere ? { contentId: given } : { problem: 'no attachment has this cid' };
    }
    const file = decode(src);
    const known = this.#found.find((other) => other.contentId && other.file === file)?.contentId;
    if (known) return { contentId: known };
    const checked = await checkAttachment(this.#baseDir, { file, isPicture: true });
    if ('problem' in checked) return checked;
    this.#found.push(checked);
    return { contentId: checked.contentId ?? '' };
  };

  /** @returns what is wrong with all of them together. */
  findTooMuch(): string | undefined {
    return findTooMuch(this.#found);
  }
}

function decode(src: string): string {
  try {
    return decodeURI(src);
  } catch {
    return src;
  }
}
