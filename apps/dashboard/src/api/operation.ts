/**
 * One thing that the API can do, as data: its path, what it takes and answers, and who may. The router and the OpenAPI
 * document are both made of it, so that they can't differ.
 */
import type { ApiScope } from '@sendonce/shared/runtime';
import { z } from 'zod';
import type { ProblemName } from './problems.js';

const NOTHING = z.strictObject({});
type Fields = z.ZodObject;

export interface Answer {
  description: string;
  schema?: z.ZodType;
  /** Default: one JSON document. `lines`: NDJSON, of the schema each. */
  form?: 'json' | 'lines';
  /** Name → what it says. */
  headers?: Record<string, string>;
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Instead of a body. */
  lines?: AsyncIterable<unknown>;
}

export interface Input<Path, Query, Headers, Body> {
  path: Path;
  query: Query;
  headers: Headers;
  body: Body;
  /** Whose key it is. */
  client: string;
  /** Where the API is, for links. */
  base: string;
}

interface Description {
  id: string;
  method: 'get' | 'post' | 'put' | 'delete';
  /** With `{name}` for what `path` takes. */
  url: `/${string}`;
  group: 'Campaigns' | 'Runs' | 'Messages' | 'Suppressions';
  scope: ApiScope;
  summary: string;
  description?: string;
  /** By status. */
  answers: Record<number, Answer>;
  /** Beside those that every operation may have. */
  problems?: readonly ProblemName[];
}

interface Definition<
  Path extends Fields,
  Query extends Fields,
  Headers extends Fields,
  Body extends z.ZodType,
> extends Description {
  path?: Path;
  query?: Query;
  /** Names in lower case. */
  headers?: Headers;
  body?: Body;
  handle(input: Input<z.infer<Path>, z.infer<Query>, z.infer<Headers>, z.infer<Body>>): Promise<Reply>;
}

/** Without the types of what is taken: those hold inside of `handle`, after the schemas have been asked. */
export interface Operation extends Description {
  path: Fields;
  query: Fields;
  headers: Fields;
  body?: z.ZodType;
  handle(input: Input<unknown, unknown, unknown, unknown>): Promise<Reply>;
}

export function operation<
  Path extends Fields = typeof NOTHING,
  Query extends Fields = typeof NOTHING,
  Headers extends Fields = typeof NOTHING,
  Body extends z.ZodType = typeof NOTHING,
>(definition: Definition<Path, Query, Headers, Body>): Operation {
  const { handle, ...rest } = definition;
  return { path: NOTHING, query: NOTHING, headers: NOTHING, ...rest, handle: handle as Operation['handle'] };
}

/** `/runs/{run}` → `/runs/:run` */
export function expressPath(url: string): string {
  return url.replace(/\{(\w+)\}/g, ':$1');
}
