/** Recipients from a URL, as CSV or NDJSON: the same rows as from a file. */
import {
  type AudienceRow,
  type AudienceSource,
  AudienceSourceError,
  type RowOptions,
} from './audienceSource.js';
import { CsvSource } from './csvSource.js';
import { readSecret } from './databaseQuery.js';
import { type DownloadRequest, HttpDownload } from './httpDownload.js';
import { NdjsonSource } from './ndjsonSource.js';
import { isOccasionName, OCCASION_NAMES, type Occasion, occasionValues } from './occasion.js';
import type { RowRules } from './rowReader.js';

/** How long the server may be silent. */
const TIMEOUT_DEFAULT_SECONDS = 60;
const MAX_BYTES_DEFAULT = 4 * 1_024 ** 3;

/** As servers call them; NDJSON has no registered name. */
const FORMATS: Readonly<Record<string, 'csv' | 'ndjson'>> = {
  'text/csv': 'csv',
  'application/csv': 'csv',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
  'application/x-jsonl': 'ndjson',
  'application/jsonlines': 'ndjson',
  'application/x-jsonlines': 'ndjson',
  'application/json-lines': 'ndjson',
};

/** As in a campaign file. */
export interface HttpDefinition {
  url?: string | undefined;
  /** The variable that holds the URL. */
  url_env?: string | undefined;
  format?: 'csv' | 'ndjson' | undefined;
  /** The variable that holds the value of the header Authorization. */
  auth_env?: string | undefined;
  /** Variables that hold the values of further headers, by the header's name. */
  headers_env?: Record<string, string> | undefined;
  timeout_seconds?: number | undefined;
  max_bytes?: number | undefined;
}

export class HttpSource implements AudienceSource {
  readonly #name: string;
  readonly #definition: HttpDefinition;
  readonly #occasion: Occasion;
  readonly #rules: RowRules;

  constructor(definition: HttpDefinition, name: string, occasion: Occasion, rules: RowRules) {
    this.#name = name;
    this.#definition = definition;
    this.#occasion = occasion;
    this.#rules = rules;
  }

  /** The address is the worker's to know when it comes from a variable. */
  async check(): Promise<void> {
    if (this.#definition.url !== undefined) this.#toUrl(this.#definition.url);
  }

  async fields(): Promise<string[]> {
    const download = await HttpDownload.open(this.#request());
    try {
      return await this.#sourceOf(download).fields();
    } finally {
      await download.close();
    }
  }

  async *rows(options: RowOptions = {}): AsyncIterable<AudienceRow> {
    const download = await HttpDownload.open(this.#request(), options.signal);
    try {
      yield* this.#sourceOf(download).rows(options);
    } finally {
      await download.close();
    }
  }

  #sourceOf(download: HttpDownload): AudienceSource {
    const format = this.#definition.format ?? FORMATS[download.contentType];
    if (!format)
      throw this.#fail(
        `its type is ${download.contentType || 'not said'}, which is neither text/csv nor application/x-ndjson: format says which it is`,
      );
    const input = { name: this.#name, chunks: () => download.chunks() };
    return format === 'csv' ? new CsvSource(input, this.#rules) : new NdjsonSource(input, this.#rules);
  }

  #request(): DownloadRequest {
    const { url, url_env = '', auth_env, headers_env = {}, timeout_seconds, max_bytes } = this.#definition;
    const variables = { ...headers_env, ...(auth_env && { authorization: auth_env }) };
    const headers = Object.entries(variables).map(([header, variable]) => [
      header,
      this.#readHeader(variable),
    ]);
    return {
      name: this.#name,
      url: this.#toUrl(url ?? this.#readSecret(url_env)),
      headers: Object.fromEntries(headers),
      timeoutMs: (timeout_seconds ?? TIMEOUT_DEFAULT_SECONDS) * 1_000,
      maxBytes: max_bytes ?? MAX_BYTES_DEFAULT,
    };
  }

  #readSecret(variable: string): string {
    return readSecret(variable, (reason) => this.#fail(reason));
  }

  #readHeader(variable: string): string {
    const value = this.#readSecret(variable);
    // Another character could begin another header, or would be refused with the value in the error's text.
    if (/[^\t\x20-\x7e]/.test(value)) throw this.#fail(`${variable} has characters that no header can have`);
    return value;
  }

  /** With what stands for the occasion, as `{scheduled_at}`. */
  #toUrl(template: string): URL {
    const values = occasionValues(this.#occasion);
    const text = template.replace(/\{(\w+)\}/g, (written, name: string) => {
      if (isOccasionName(name)) return encodeURIComponent(values[name]);
      const known = OCCASION_NAMES.map((each) => `{${each}}`).join(', ');
      throw this.#fail(`${written} stands for nothing in the URL; known are ${known}`);
    });
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !/^https?:$/.test(url.protocol))
      throw this.#fail('its URL is none that starts with https:// or http://');
    if (url.username || url.password)
      throw this.#fail('its URL holds a password, which belongs into auth_env');
    return url;
  }

  #fail(reason: string): AudienceSourceError {
    return new AudienceSourceError(this.#name, undefined, reason);
  }
}
