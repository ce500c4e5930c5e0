/** A request of ours that failed: what the log and the administrators get, and the id by which whoever asked can name it. */
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';

/** Of a proxy, or of anybody: only what fits into a line. */
const REQUEST_ID = /^[\w.:-]{8,100}$/;

/** @param path as it may be logged: without addresses and tokens. */
export function failedRequest(
  request: Request,
  response: Response,
  { status, path, error }: { status: number; path: string; error: unknown },
): Record<string, unknown> {
  const given = request.get('x-request-id') ?? '';
  const id = REQUEST_ID.test(given) ? given : randomUUID();
  if (!response.headersSent) response.set('x-request-id', id);
  return { method: request.method, path, status, request: id, err: error };
}
