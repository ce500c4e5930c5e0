/** Between HTTP and an operation: takes a request apart, asks the schemas, and writes the reply. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { z } from 'zod';
import type { Input, Operation } from './operation.js';
import { ProblemError } from './problems.js';

const BODY_LIMIT = '16kb';

/** Not inflated: a small body that unpacks to a large one is of no use here. */
const parseJson = express.json({ limit: BODY_LIMIT, inflate: false, type: 'application/json' });

/** A body may be left out; one that is there has to be JSON, also where the parser would not look at it. */
export const readBody: RequestHandler = (request, response, next) => {
  // A POST without a body says mostly that its length is 0. `is` answers null when there is no word of one.
  const isEmpty = request.get('content-length') === '0';
  if (!isEmpty && request.is('application/json') === false) return next(new ProblemError('wrong-media-type'));
  parseJson(request, response, next);
};

export function answer(operation: Operation): RequestHandler {
  return async (request, response) => {
    response.locals.operation = operation.id;
    const reply = await operation.handle(inputOf(operation, request, response));
    response.status(reply.status).set(reply.headers ?? {});
    if (reply.lines) await writeLines(reply.lines, request, response);
    else if (reply.body === undefined) response.end();
    else response.json(reply.body);
  };
}

function inputOf(
  operation: Operation,
  request: Request,
  { locals }: Response,
): Input<unknown, unknown, unknown, unknown> {
  const parts: [string, z.ZodType, unknown][] = [
    ['path', operation.path, request.params],
    ['query', operation.query, request.query],
    ['headers', operation.headers, headersFor(operation, request)],
    ...(operation.body ? [['body', operation.body, request.body ?? {}] as [string, z.ZodType, unknown]] : []),
  ];
  const errors: object[] = [];
  const [path, query, headers, body] = parts.map(([part, schema, value]) => {
    const parsed = schema.safeParse(value);
    if (!parsed.success) errors.push(...parsed.error.issues.map((issue) => errorOf(part, issue)));
    return parsed.data;
  });
  if (errors.length > 0) throw new ProblemError('malformed-request', { members: { errors } });
  return { path, query, headers, body, client: String(locals.client), base: request.baseUrl };
}

function headersFor({ headers }: Operation, request: Request): Record<string, unknown> {
  return Object.fromEntries(Object.keys(headers.shape).map((name) => [name, request.get(name)]));
}

/** As in RFC 9457's example: a JSON pointer into the body, or the name of a parameter. */
function errorOf(part: string, { path, message }: z.core.$ZodIssue): object {
  const names = path.map(String);
  const place =
    part === 'body'
      ? { pointer: `#${names.map((name) => `/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`).join('')}` }
      : { parameter: names.join('.') || part };
  return { detail: message, ...place };
}

/**
 * As fast as the other side reads, and no further than it listens. The first line is made before anything is written: a
 * Redis that is away is answered with a problem, and only one that goes away later with a broken connection.
 */
async function writeLines(
  lines: AsyncIterable<unknown>,
  request: Request,
  response: Response,
): Promise<void> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  response.type('application/x-ndjson');
  if (request.method === 'HEAD') return void response.end();
  try {
    await pipeline(Readable.from(asText(first, iterator)), response);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

async function* asText(
  first: IteratorResult<unknown>,
  iterator: AsyncIterator<unknown>,
): AsyncGenerator<string> {
  for (let line = first; !line.done; line = await iterator.next()) yield `${JSON.stringify(line.value)}\n`;
}
