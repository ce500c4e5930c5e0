/**
 * Bull Board, for those who want to see the jobs themselves. Jobs read as sentences; none holds an address. What its buttons
 * do to jobs can't make a mail go out twice: the ledger decides that, not the job.
 */
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { makeScrubber } from '@sendonce/alerts';
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

/** In the look of our pages, and with the way back to them. */
const UI: NonNullable<NonNullable<Parameters<typeof createBullBoard>[0]['options']>['uiConfig']> = {
  boardTitle: 'Sendonce',
  hideDocsLink: true,
  favIcon: { default: '/assets/icon.svg', alternative: '/assets/icon.svg' },
  miscLinks: [
    { text: 'Overview', url: '/' },
    { text: 'Runs', url: '/runs' },
    { text: 'Campaigns', url: '/campaigns' },
  ],
  // CLIENT LIST at each poll; the overview says how many there are.
  showWorkers: false,
  theme: {
    light: {
      background: '#f6f7f9',
      foreground: '#1d2433',
      card: '#ffffff',
      primary: '#1f56c4',
      border: '#dfe3ea',
      'font-sans': 'system-ui, sans-serif',
    },
    dark: {
      background: '#12151c',
      foreground: '#e6e9f0',
      card: '#1a1f2a',
      primary: '#8ab4ff',
      border: '#2f3748',
      'font-sans': 'system-ui, sans-serif',
    },
  },
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
    externalJobUrl: runOfJob,
    description: 'One job an occurrence: due, then its audience is frozen.',
  });
  const sends = new BullMQAdapter(queues.sends, {
    ...options,
    externalJobUrl: runOfJob,
    description: 'One job a chunk of at most 500 recipients. A finished one that is retried sends nothing.',
  });
  const messages = new BullMQAdapter(queues.messages, {
    ...options,
    externalJobUrl: runOfJob,
    description: 'One job a chunk of single messages, which pass the chunks of campaigns.',
  });
  const scrubber = makeScrubber();
  for (const adapter of [runs, sends, messages]) {
    adapter.setFormatter('name', (job: BoardJob) => scrubber.text(describeJob(job)));
    // Ours hold none; somebody else may have put a job there.
    adapter.setFormatter('data', (data) => scrubber.value(data));
  }
  const serverAdapter = new ExpressAdapter();
  serverAdapter.setBasePath(basePath);
  createBullBoard({
    queues: [runs, sends, messages],
    serverAdapter,
    options: { uiConfig: UI },
  });
  return serverAdapter.getRouter() as Router;
}

/** From a job to what operators think in. */
function runOfJob({ data }: { data: BoardJob['data'] | string }): { displayText: string; href: string } {
  const { campaign, run } = (typeof data === 'string' ? JSON.parse(data) : data) as BoardJob['data'];
  return run
    ? { displayText: 'Run', href: `/runs/${run}` }
    : { displayText: 'Campaign', href: `/campaigns/${campaign ?? ''}` };
}

function describeJob({ name, data }: BoardJob): string {
  if (name === SEND) return `send chunk ${(data.chunk ?? 0) + 1} of ${data.chunks ?? '?'} of ${data.run}`;
  if (name === DUE) return `${data.campaign} is due`;
  return `${name} the audience of ${data.run}`;
}
