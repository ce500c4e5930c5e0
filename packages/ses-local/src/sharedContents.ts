/**
 * The attachments of the kept mails, once each: twenty thousand mails of a campaign have the same file, and each brings it
 * as a text of its own.
 */
import { hash } from 'node:crypto';
import type { SendEmailRequest } from './checks.js';

/** Of contents that are compared with, characters; beyond that the comparing begins anew. */
const MAX_CHARACTERS = 100_000_000;

export class SharedContents {
  readonly #known = new Map<string, string>();
  #characters = 0;

  /** Puts the texts that came before in the places of equal ones. */
  share({ Content: { Simple } }: SendEmailRequest): void {
    for (const attachment of Simple?.Attachments ?? []) {
      const key = hash('sha256', attachment.RawContent, 'base64');
      const known = this.#known.get(key);
      if (known !== undefined) attachment.RawContent = known;
      else this.#add(key, attachment.RawContent);
    }
  }

  clear(): void {
    this.#known.clear();
    this.#characters = 0;
  }

  #add(key: string, content: string): void {
    if (this.#characters > MAX_CHARACTERS) this.clear();
    this.#known.set(key, content);
    this.#characters += content.length;
  }
}
