/** Tells `sendonce doctor` what has arrived of its request, signed. See publicProbe.ts in packages/shared. */
import { answerProbe, PROBE_PATH } from '@sendonce/shared/links';
import express, { Router } from 'express';

/** Doctor sends a few bytes. */
const BODY_LIMIT = '1kb';

export function probe(linkSecret: string): Router {
  const router = Router();
  router.post(PROBE_PATH, express.text({ type: () => true, limit: BODY_LIMIT }), (request, response) => {
    const { originalUrl: url, host = '' } = request;
    const body = typeof request.body === 'string' ? request.body : '';
    response.set('cache-control', 'no-store').json(answerProbe(linkSecret, { url, host, body }));
  });
  return router;
}
