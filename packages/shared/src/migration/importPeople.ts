/**
 * People from another program become an audience file and entries of the suppression list. Twice over the rows: first those
 * who must not be mailed go onto the list, then the file is written, under another name until it is whole. So whoever stops
 * it in between has nobody to mail too many, and doing it again does no harm.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AddressSet } from '../audience/index.js';
import {
  EVERYTHING,
  type Suppression,
  type SuppressionReason,
  type SuppressionRow,
} from '../suppression/index.js';
import type { Person, PersonRow } from './people.js';

export interface PeopleReport {
  /** In the audience file. */
  mailable: number;
  suppressed: Partial<Record<SuppressionReason, number>>;
  /** Neither, by why. */
  leftOut: Map<string, number>;
  /** Who was in the rows before. */
  duplicates: number;
  invalid: { file: string; line: number; invalid: string }[];
}

export interface PeopleImportOptions {
  /** `*` or a campaign's id: what those get no mail of who have left. A mailbox that is gone is gone for all. */
  scope: string;
  /** Of suppressions without a time of their own. */
  now: Date;
}

const ADDRESS_FIELD = 'email';

export class PeopleImport {
  readonly #rows: () => AsyncIterable<PersonRow>;
  readonly #options: PeopleImportOptions;
  readonly #suppressed = new AddressSet();
  readonly #fields = new Set<string>();
  readonly report: PeopleReport = {
    mailable: 0,
    suppressed: {},
    leftOut: new Map(),
    duplicates: 0,
    invalid: [],
  };

  /** @param rows from the start, each time; those who must not be mailed come first where somebody may be in it twice. */
  constructor(rows: () => AsyncIterable<PersonRow>, options: PeopleImportOptions) {
    this.#rows = rows;
    this.#options = options;
  }

  /** The first pass, which counts: entries for the suppression list. */
  async *suppressions(): AsyncGenerator<SuppressionRow> {
    const seen = new AddressSet();
    for await (const row of this.#rows()) {
      if ('invalid' in row) this.report.invalid.push(row);
      else if (!seen.add(row.address.key)) this.report.duplicates += 1;
      else {
        const suppression = this.#take(row);
        if (suppression) yield { suppression };
      }
    }
  }

  #take({ address: { key: address }, fields, standing }: Person): Suppression | undefined {
    const { leftOut, suppressed } = this.report;
    switch (standing.kind) {
      case 'mailable':
        this.report.mailable += 1;
        for (const name of Object.keys(fields)) this.#fields.add(name);
        return undefined;
      case 'left out':
        leftOut.set(standing.why, (leftOut.get(standing.why) ?? 0) + 1);
        return undefined;
      case 'suppressed': {
        const { reason, since = this.#options.now } = standing;
        this.#suppressed.add(address);
        suppressed[reason] = (suppressed[reason] ?? 0) + 1;
        const scope = reason === 'unsubscribe' ? this.#options.scope : EVERYTHING;
        return { address, scope, reason, since };
      }
    }
  }

  /** The second pass: the audience as NDJSON. A file that is there is replaced, once the new one is whole. */
  async writeAudience(file: string): Promise<void> {
    const unfinished = `${file}.unfinished`;
    try {
      await pipeline(Readable.from(this.#lines()), createWriteStream(unfinished));
      await rename(unfinished, file);
    } finally {
      await rm(unfinished, { force: true });
    }
  }

  async *#lines(): AsyncGenerator<string> {
    const written = new AddressSet();
    // What some people lack is null: as a value it fits a template, and `default` fills it.
    const none = Object.fromEntries([...this.#fields].map((name) => [name, null]));
    for await (const row of this.#rows()) {
      if ('invalid' in row || row.standing.kind !== 'mailable') continue;
      const { address, fields } = row;
      if (this.#suppressed.has(address.key) || !written.add(address.key)) continue;
      yield `${JSON.stringify({ ...none, ...fields, [ADDRESS_FIELD]: address.address })}\n`;
    }
  }
}
