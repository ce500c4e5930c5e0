/**
 * The `sample.json` of a template of single messages, as an audience of one: what `preview`, `test-send` and the dashboard
 * show. It is what a program would send, `{ "to": …, "data": { … } }`; without the file there is nobody.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import {
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  type RowOptions,
  toRow,
} from './audienceSource.js';
import { fieldNameProblem } from './mergeFields.js';

const EXAMPLE_ADDRESS = 'jane@example.com';

const Sample = z.strictObject({
  to: z.string().default(EXAMPLE_ADDRESS),
  data: z.record(z.string(), z.json()).default({}),
});

export class SampleSource implements AudienceSource {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async fields(): Promise<string[]> {
    return Object.keys((await this.#read())?.data ?? {});
  }

  async *rows({ requiredFields = [] }: RowOptions = {}): AsyncGenerator<AudienceRow> {
    const sample = await this.#read();
    if (!sample) return;
    const row = toRow(1, { ...sample.data, to: sample.to }, 'to', requiredFields);
    yield 'invalid' in row ? row : { ...row, recipient: { ...row.recipient, fields: sample.data } };
  }

  async #read(): Promise<z.infer<typeof Sample> | undefined> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new AudienceSourceError(this.#file, undefined, error.message, { cause: error });
    });
    if (text === undefined) return undefined;
    const sample = Sample.safeParse(parseJson(this.#file, text));
    if (!sample.success)
      throw new AudienceSourceError(this.#file, 1, 'expected { "to": "jane@example.com", "data": { … } }');
    for (const name of Object.keys(sample.data.data)) {
      const problem = fieldNameProblem(name);
      if (problem) throw new AudienceSourceError(this.#file, 1, `data.${name}: ${problem}`);
    }
    return sample.data;
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AudienceSourceError(file, 1, 'this is no JSON', { cause: error });
  }
}
