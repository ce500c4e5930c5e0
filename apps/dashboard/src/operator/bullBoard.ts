/**
 * Bull Board, for those who want to see the jobs themselves. Jobs read as sentences; none holds an address. What its buttons
 * do to jobs can't make a mail go out twice: the ledger decides that, not the job.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { DUE, type Queues, SEND, type SendPayload } from '@sendonce/shared/queue';
import type { RequestHandler, Router } from 'express';
import { viewerOf } from './access/sessions.js';

interface BoardJob {
  name: string;
  data: Partial<SendPayload> & { campaign?: string };
}

/** Bull Board needs inline styles; the fonts that it asks Google for are not let through, and it looks well without. */
export const BOARD_CSP = {
  'default-src': ["'self'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'frame-ancestors': ["'none'"],
};

/** Two boards at one place: viewers get the one without buttons. That they can change nothing is not left to it. */
export function bullBoards(queues: Queues, basePath: string): RequestHandler {
  const boards = {
    operator: bullBoard(queues, basePath, { readOnlyMode: false }),
    viewer: bullBoard(queues, basePath, { readOnlyMode: true }),
  };
  return (request, response, next) => boards[viewerOf(response).role](request, response, next);
}

export function bullBoard(queues: Queues, basePath: string, options: { readOnlyMode: boolean }): Router {
  const runs = new BullMQAdapter(queues.runs, {
    ...options,
    description: 'One job an occurrence: due, then its audience is frozen.',
  });
  const sends = new BullMQAdapter(queues.sends, {
    ...options,
    description: 'One job a chunk of at most 500 recipients. A finished one that is retried sends nothing.',
  });
  for (const adapter of [runs, sends]) adapter.setFormatter('name', describeJob);
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(basePath);
  createBullBoard({
    queues: [runs, sends],
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Sendonce', miscLinks: [{ text: 'Runs', url: '/' }] } },
  });
  return serverAdapter.getRouter() as Router;
}

function describeJob({ name, data }: BoardJob): string {
  if (name === SEND) return `send chunk ${(data.chunk ?? 0) + 1} of ${data.chunks ?? '?'} of ${data.run}`;
  if (name === DUE) return `${data.campaign} is due`;
  return `${name} the audience of ${data.run}`;
}
