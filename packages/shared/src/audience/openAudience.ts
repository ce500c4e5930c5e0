/** From a campaign's definition of its audience to the source that reads it. */
import { resolve } from 'node:path';
import type { AudienceDefinition } from '../campaign/index.js';
import type { AudienceSource } from './audienceSource.js';
import { CsvSource } from './csvSource.js';
import { type DatabaseDefinition, DatabaseQuery } from './databaseQuery.js';
import { DatabaseSource } from './databaseSource.js';
import { HttpSource } from './httpSource.js';
import { MysqlDatabase } from './mysqlDatabase.js';
import { NdjsonSource } from './ndjsonSource.js';
import type { Occasion } from './occasion.js';
import { PostgresDatabase } from './postgresDatabase.js';
import { SampleSource } from './sampleSource.js';
import { fileInput } from './textLines.js';

export interface AudienceContext {
  /** The campaign's folder, which paths are relative to. */
  baseDir: string;
  /** What the audience is asked for. */
  occasion: Occasion;
}

/** @throws nothing: what is wrong is told by the source when it is asked. */
export function openAudience(
  definition: AudienceDefinition,
  { baseDir, occasion }: AudienceContext,
): AudienceSource {
  const { address_field: addressField, where, max_rows: maxRows } = definition;
  const rules = { addressField, where, maxRows };
  const name = describeSource(definition);
  const query = (given: DatabaseDefinition) => new DatabaseQuery(name, given, baseDir, occasion);
  if ('csv' in definition) return new CsvSource(fileInput(resolve(baseDir, definition.csv)), rules);
  if ('ndjson' in definition) return new NdjsonSource(fileInput(resolve(baseDir, definition.ndjson)), rules);
  if ('messages' in definition) return new SampleSource(resolve(baseDir, definition.messages));
  if ('http' in definition) return new HttpSource(definition.http, name, occasion, rules);
  if ('mysql' in definition) {
    const { timeout_seconds: timeoutSeconds } = definition.mysql;
    return new DatabaseSource(new MysqlDatabase(query(definition.mysql), { name, timeoutSeconds }), rules);
  }
  const { timeout_seconds: timeoutSeconds } = definition.postgres;
  return new DatabaseSource(
    new PostgresDatabase(query(definition.postgres), { name, timeoutSeconds }),
    rules,
  );
}

/** Any list with a header, as CSV. @param addressField the column with the addresses. */
export function openCsv(file: string, addressField: string): AudienceSource {
  return new CsvSource(fileInput(file), { addressField });
}

/** Whether it is a file beside the campaign: always there, and quickly read. */
export function isFileAudience(definition: AudienceDefinition): boolean {
  return 'csv' in definition || 'ndjson' in definition;
}

/** For people; the file, or the variable that says where it is: `PostgreSQL (APP_DATABASE_URL)`. */
export function describeSource(definition: AudienceDefinition): string {
  if ('csv' in definition) return definition.csv;
  if ('ndjson' in definition) return definition.ndjson;
  if ('postgres' in definition) return `PostgreSQL (${definition.postgres.url_env})`;
  if ('messages' in definition) return 'single messages';
  if ('mysql' in definition) return `MySQL (${definition.mysql.url_env})`;
  const { url, url_env } = definition.http;
  // What comes after the host may be a secret.
  return `HTTP (${url_env ?? (url && URL.canParse(url) ? new URL(url).host : 'URL')})`;
}
