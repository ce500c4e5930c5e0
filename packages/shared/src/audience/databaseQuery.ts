/** The query of a campaign: in its file or in one beside it, with what it asks for of the occasion. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf } from '../runtime/errors.js';
import { readNamedSecret } from '../runtime/namedSecrets.js';
import { AudienceSourceError } from './audienceSource.js';
import { type Occasion, type OccasionName, occasionValues } from './occasion.js';
import { prepareSql, type SqlDialect, SqlParameterError } from './sqlParameters.js';

/** How long a database may be silent: until it is connected, until the first rows come, and between rows. */
export const TIMEOUT_DEFAULT_SECONDS = 120;

/** As in a campaign file. */
export interface DatabaseDefinition {
  /** The variable that holds the URL. */
  url_env: string;
  query?: string | undefined;
  query_file?: string | undefined;
  timeout_seconds?: number | undefined;
}

/** A query that a server can take. */
export interface Statement {
  text: string;
  values: string[];
  /** An error of the query, at a line of its text, from 1. */
  errorAt(line: number | undefined, reason: string): AudienceSourceError;
}

export class DatabaseQuery {
  /**
   * @param database as errors call it.
   * @param baseDir the campaign's folder.
   */
  constructor(
    private readonly database: string,
    private readonly definition: DatabaseDefinition,
    private readonly baseDir: string,
    private readonly occasion: Occasion,
  ) {}

  /** @throws {AudienceSourceError} when its file can't be read, or it asks for what there is not. */
  async prepare(
    dialect: SqlDialect,
    format: (name: OccasionName, value: string) => string,
  ): Promise<Statement> {
    const { query, query_file } = this.definition;
    const file = query_file === undefined ? undefined : resolve(this.baseDir, query_file);
    const sql = file === undefined ? (query ?? '') : await readQuery(file);
    const errorAt: Statement['errorAt'] = (line, reason) => {
      if (file !== undefined) return new AudienceSourceError(file, line, `${this.database}: ${reason}`);
      const place = line === undefined ? '' : `line ${line} of the query: `;
      return new AudienceSourceError(this.database, undefined, `${place}${reason}`);
    };
    try {
      const { text, names } = prepareSql(sql, dialect);
      const values = occasionValues(this.occasion);
      return { text, values: names.map((name) => format(name, values[name])), errorAt };
    } catch (error) {
      throw error instanceof SqlParameterError ? errorAt(error.line, error.reason) : error;
    }
  }

  /** Where the database is; never to be shown. @throws {AudienceSourceError} when the variable is not set. */
  readUrl(protocols: readonly string[]): string {
    const { url_env } = this.definition;
    const fail = (reason: string) => new AudienceSourceError(this.database, undefined, reason);
    const url = readSecret(url_env, fail);
    const expected = protocols.map((protocol) => `${protocol}//`).join(' or ');
    if (!URL.canParse(url) || !protocols.includes(new URL(url).protocol))
      throw fail(`${url_env} is no URL that starts with ${expected}`);
    return url;
  }
}

/**
 * What a variable holds that a campaign file names.
 * @throws what `fail` makes of the reason when it is not set.
 */
export function readSecret(name: string, fail: (reason: string) => Error): string {
  let value: string | undefined;
  try {
    value = readNamedSecret(name);
  } catch (error) {
    throw fail(messageOf(error));
  }
  if (value === undefined) throw fail(`the variable ${name} is not set here (nor ${name}_FILE)`);
  return value;
}

async function readQuery(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : `the file can't be read: ${messageOf(error)}`;
    throw new AudienceSourceError(file, undefined, reason, { cause: error });
  }
  if (text.trim() === '') throw new AudienceSourceError(file, 1, 'the query is empty');
  return text.replace(/^\ufeff/, '');
}
